//! The flags of live Azure.

use std::time::Duration;

use clap::ValueEnum;
use sources::azure::{
    Auth, Azure, Cloud, CloudName, Options, Pace, SignIn as SigningIn, Surroundings, Trust,
};
use sources::live::Source;

use crate::failure::Failure;

/// What is read of Azure, and how to sign in.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct AzureArgs {
    /// Live Azure: every subscription that can be seen
    #[arg(long)]
    pub(crate) azure: bool,
    /// Of Azure only this subscription; repeatable
    #[arg(long, value_name = "ID", requires = "azure")]
    pub(crate) subscription: Vec<String>,
    /// Ask Microsoft Graph who is in the groups that hold roles, and what principals are called
    #[arg(long, requires = "azure")]
    pub(crate) entra: bool,
    /// How to sign in to Azure
    #[arg(
        long,
        value_name = "HOW",
        requires = "azure",
        value_enum,
        default_value_t
    )]
    pub(crate) azure_auth: SignIn,
    /// Which of Azure's clouds
    #[arg(
        long,
        value_name = "NAME",
        requires = "azure",
        value_enum,
        default_value_t
    )]
    pub(crate) cloud: CloudArg,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum SignIn {
    /// The first of the following that gives a token
    #[default]
    Default,
    /// A service principal: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET
    Environment,
    /// A Kubernetes service account: AZURE_FEDERATED_TOKEN_FILE
    WorkloadIdentity,
    /// The identity of this machine
    ManagedIdentity,
    /// `az login`
    AzureCli,
    /// `azd auth login`
    AzureDeveloperCli,
}

/// A cloud.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum CloudArg {
    /// Azure
    #[default]
    Public,
    /// Azure operated by 21Vianet
    China,
    /// Azure Government
    UsGovernment,
}

impl SignIn {
    const fn auth(self) -> Auth {
        match self {
            Self::Default => Auth::Default,
            Self::Environment => Auth::Environment,
            Self::WorkloadIdentity => Auth::WorkloadIdentity,
            Self::ManagedIdentity => Auth::ManagedIdentity,
            Self::AzureCli => Auth::AzureCli,
            Self::AzureDeveloperCli => Auth::AzureDeveloperCli,
        }
    }
}

impl AzureArgs {
    /// The source, when it is asked for.
    pub(crate) fn source(&self) -> anyhow::Result<Option<Box<dyn Source>>> {
        if !self.azure {
            return Ok(None);
        }
        for id in &self.subscription {
            if !sources::azure::is_guid(id) {
                return Err(Failure::new(format!("`{id}` is no id of a subscription"))
                    .help("`az account list` shows ids; an id is 8-4-4-4-12 hexadecimal digits")
                    .into());
            }
        }
        Ok(Some(Box::new(Azure::new(Options {
            cloud: self.known_cloud()?,
            auth: self.auth(),
            surroundings: Surroundings::of_process(),
            subscriptions: self.subscription.clone(),
            entra: self.entra,
            trust: Trust::default(),
            pace: Pace::default(),
            patience: super::estate::patience(),
        }))))
    }

    /// How one signs in to storage and Azure Monitor.
    pub(crate) fn sign_in(&self, timeout: Duration) -> anyhow::Result<SigningIn> {
        Ok(SigningIn {
            cloud: self.known_cloud()?,
            auth: self.auth(),
            surroundings: Surroundings::of_process(),
            trust: Trust::default(),
            timeout,
        })
    }

    const fn auth(&self) -> Auth {
        self.azure_auth.auth()
    }

    /// How one signs in to registries.
    pub(crate) fn sign_in_as(&self, how: SignIn, timeout: Duration) -> anyhow::Result<SigningIn> {
        Ok(SigningIn {
            auth: how.auth(),
            ..self.sign_in(timeout)?
        })
    }

    fn known_cloud(&self) -> anyhow::Result<Cloud> {
        let name = match self.cloud {
            CloudArg::Public => CloudName::Public,
            CloudArg::China => CloudName::China,
            CloudArg::UsGovernment => CloudName::UsGovernment,
        };
        let address = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let cloud = Cloud::new(
            name,
            address("AZURE_AUTHORITY_HOST").as_deref(),
            address("SEAWALL_AZURE_ENDPOINT").as_deref(),
            address("SEAWALL_GRAPH_ENDPOINT").as_deref(),
        )
        .map_err(|error| {
            Failure::new(error).help("AZURE_AUTHORITY_HOST, SEAWALL_AZURE_ENDPOINT and SEAWALL_GRAPH_ENDPOINT hold addresses of clouds of one's own")
        })?;
        Ok(cloud)
    }
}
