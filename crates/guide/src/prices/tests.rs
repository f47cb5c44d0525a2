//! Answers in the form that
//! <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices> documents,
//! written by hand. The amounts are invented.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::*;

fn prices() -> Prices {
    static PRICES: OnceLock<Prices> = OnceLock::new();
    let read = || {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        Prices::builtin(&guide)
    };
    PRICES.get_or_init(read).clone()
}

/// An item for the tier of AKS, changed as `with` says.
fn item(with: Value) -> Value {
    let mut item = json!({
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": 0.5,
        "unitPrice": 0.5,
        "armRegionName": "westeurope",
        "location": "EU West",
        "effectiveStartDate": "2024-02-01T00:00:00Z",
        "meterId": "00000000-0000-0000-0000-000000000001",
        "meterName": "Standard Uptime SLA",
        "productId": "DZH318Z00000",
        "skuId": "DZH318Z00000/0001",
        "availabilityId": null,
        "productName": "Azure Kubernetes Service",
        "skuName": "Standard",
        "serviceName": "Azure Kubernetes Service",
        "serviceId": "DZH31900000",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": true,
        "armSkuName": ""
    });
    for (key, value) in with.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

fn page(items: &[Value], next: Value) -> String {
    json!({
        "BillingCurrency": "EUR",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": items,
        "NextPageLink": next,
        "Count": items.len()
    })
    .to_string()
}

fn read(items: &[Value]) -> (Prices, Result<Read, PriceError>) {
    let mut prices = prices();
    let text = page(items, Value::Null);
    let said = prices.add_retail(&text, "westeurope", "EUR", "prices.json", "2026-11-26");
    (prices, said)
}

/// The price of the tier for a month, in millionths.
fn tier(items: &[Value]) -> Option<i64> {
    let (prices, said) = read(items);
    said.unwrap();
    prices.of("aks-standard-tier").and_then(Price::flat)
}

#[test]
fn every_meter_of_the_guide_says_how_it_is_found_or_why_not() {
    let (guide, _) = Guide::builtin();
    let written = guide.data["prices.yaml"].matches("\n- meter: ").count();
    let prices = prices();
    assert_eq!(prices.meters().count(), written);
    for meter in prices.meters() {
        assert!(!meter.references.is_empty(), "{}", meter.id);
        assert_eq!(meter.retail.is_none(), meter.unpriced.is_some());
        assert_eq!(prices.of(&meter.id), None, "no amount without a source");
    }
    let used: std::collections::BTreeSet<&str> = guide
        .options()
        .flat_map(|(_, option)| &option.price)
        .chain(guide.shared.iter().flat_map(|shared| &shared.price))
        .map(|charge| &*charge.meter)
        .collect();
    for meter in prices.meters() {
        assert!(
            used.contains(&*meter.id),
            "nothing is charged by {}",
            meter.id
        );
    }
}

#[test]
fn hours_become_months() {
    let (prices, said) = read(&[item(json!({}))]);
    assert_eq!(said.unwrap().meters, ["aks-standard-tier".into()]);
    let price = prices.of("aks-standard-tier").unwrap();
    assert_eq!(price.flat(), Some(365_000_000));
    assert_eq!(price.of(3.0), 3 * 365_000_000);
    assert_eq!(price.of(0.0), 0);
    assert_eq!(
        (
            &*price.currency,
            &*price.source,
            &*price.date,
            price.since.as_deref()
        ),
        ("EUR", "prices.json", "2026-11-26", Some("2024-02-01"))
    );
}

#[test]
fn other_regions_and_other_kinds_of_the_same_meter_do_not_count() {
    let others = [
        json!({"armRegionName": "eastus", "retailPrice": 0.4}),
        json!({"type": "DevTestConsumption", "retailPrice": 0.3}),
        json!({"type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 2500.0}),
        json!({"isPrimaryMeterRegion": false, "retailPrice": 0.2}),
        json!({"skuName": "Automatic", "retailPrice": 0.1}),
        json!({"meterName": "Standard Long Term Support ", "retailPrice": 0.1}),
        json!({"currencyCode": "USD", "retailPrice": 0.6}),
    ];
    for other in &others {
        let other = item(other.clone());
        assert_eq!(
            tier(&[other.clone(), item(json!({}))]),
            Some(365_000_000),
            "{other}"
        );
        assert_eq!(
            tier(&[item(json!({})), other.clone()]),
            Some(365_000_000),
            "{other}"
        );
        if other["currencyCode"] == "EUR" {
            assert_eq!(tier(std::slice::from_ref(&other)), None, "{other}");
        }
    }
    // The case of names matters, as it does to the API.
    assert_eq!(
        tier(&[item(json!({"serviceName": "azure kubernetes service"}))]),
        None
    );
}

#[test]
fn a_region_goes_before_what_holds_everywhere() {
    let nat = |region: &str, price: f64| {
        item(json!({
            "serviceName": "NAT Gateway", "productName": "NAT Gateway",
            "meterName": "Standard Gateway", "armRegionName": region, "retailPrice": price
        }))
    };
    let of = |items: &[Value]| {
        let (prices, said) = read(items);
        said.unwrap();
        prices.of("nat-gateway").and_then(Price::flat)
    };
    assert_eq!(of(&[nat("Global", 0.1)]), Some(73_000_000));
    assert_eq!(of(&[nat("", 0.1), nat("Global", 0.2)]), Some(146_000_000));
    assert_eq!(
        of(&[nat("Global", 0.2), nat("westeurope", 0.1)]),
        Some(73_000_000)
    );
    assert_eq!(of(&[nat("northeurope", 0.1)]), None);
}

#[test]
fn several_prices_for_one_meter_are_refused_and_listed() {
    let (prices, said) = read(&[item(json!({})), item(json!({"retailPrice": 0.7}))]);
    let error = said.unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 prices are `aks-standard-tier`, one was expected: \
         Azure Kubernetes Service / Standard / Standard Uptime SLA in `westeurope`: 0.5 by `1 Hour` since 2024-02-01; \
         Azure Kubernetes Service / Standard / Standard Uptime SLA in `westeurope`: 0.7 by `1 Hour` since 2024-02-01"
    );
    assert_eq!(prices.of("aks-standard-tier"), None);
    // The same said twice, as pages that overlap do, is one price.
    assert_eq!(tier(&[item(json!({})), item(json!({}))]), Some(365_000_000));
}

#[test]
fn of_changes_the_one_that_holds_counts() {
    let since = |day: &str, price: f64| {
        item(json!({"effectiveStartDate": format!("{day}T00:00:00Z"), "retailPrice": price}))
    };
    let newer = since("2025-01-01", 0.1);
    assert_eq!(tier(&[item(json!({})), newer.clone()]), Some(73_000_000));
    assert_eq!(tier(&[newer.clone(), item(json!({}))]), Some(73_000_000));
    // Not begun on the day on which the file was fetched.
    let later = since("2026-12-01", 0.9);
    assert_eq!(tier(&[later, newer.clone()]), Some(73_000_000));
    let mut over = since("2025-06-01", 0.9);
    over["effectiveEndDate"] = json!("2026-01-31T00:00:00Z");
    assert_eq!(tier(&[over, newer]), Some(73_000_000));
}

#[test]
fn tiers_are_added_up() {
    let tier = |from: f64, price: f64| {
        item(json!({
            "serviceName": "Log Analytics", "productName": "Log Analytics", "skuName": "Analytics Logs",
            "meterName": "Analytics Logs Data Ingestion", "unitOfMeasure": "1 GB",
            "tierMinimumUnits": from, "retailPrice": price
        }))
    };
    let (prices, said) = read(&[tier(5.0, 2.0), tier(0.0, 0.0), tier(100.0, 1.0)]);
    said.unwrap();
    let price = prices.of("log-analytics-analytics-gb").unwrap();
    assert_eq!(price.flat(), None);
    assert_eq!(price.of(4.0), 0);
    assert_eq!(price.of(5.0), 0);
    assert_eq!(price.of(6.0), 2_000_000);
    assert_eq!(price.of(100.0), 190_000_000);
    assert_eq!(price.of(110.5), 200_500_000);
    // Whoever asks only for the dearer tiers does not get a price that is too high.
    let (prices, said) = read(&[tier(5.0, 2.0)]);
    assert_eq!(said.unwrap().meters.len(), 0);
    assert_eq!(prices.of("log-analytics-analytics-gb"), None);
}

#[test]
fn a_unit_that_the_guide_does_not_know_is_refused() {
    let (_, said) = read(&[item(json!({"unitOfMeasure": "100 Hours"}))]);
    assert_eq!(
        said.unwrap_err().to_string(),
        "the price of `aks-standard-tier` is by `100 Hours`; known is `1 Hour`, `1/Hour`"
    );
    let (_, said) = read(&[item(json!({"retailPrice": -0.5}))]);
    assert!(matches!(said, Err(PriceError::Form(_))));
}

#[test]
fn currencies_are_never_mixed() {
    let (_, said) = read(&[item(json!({"currencyCode": "USD"}))]);
    assert_eq!(
        said.unwrap_err().to_string(),
        "the prices are in USD, not in EUR"
    );
    // The page says it where an item does not.
    let mut silent = item(json!({}));
    silent.as_object_mut().unwrap().remove("currencyCode");
    assert_eq!(tier(std::slice::from_ref(&silent)), Some(365_000_000));
    let text = json!({"Items": [silent]}).to_string();
    let said = prices().add_retail(&text, "westeurope", "EUR", "f", "2026-11-26");
    assert!(said.unwrap_err().to_string().ends_with("says the currency"));
}

#[test]
fn pages_follow_each_other() {
    let first = page(
        &[],
        json!("https://prices.azure.com:443/api/retail/prices?$skip=1000"),
    );
    let second = page(&[item(json!({}))], Value::Null);
    let mut together = prices();
    for text in [
        format!("{first}\n{second}\n"),
        format!("[{first},{second}]"),
    ] {
        let read = together
            .add_retail(&text, "westeurope", "EUR", "f", "2026-11-26")
            .unwrap();
        assert_eq!((read.items, read.meters.len(), read.next), (1, 1, None));
    }
    let read = together
        .add_retail(&first, "westeurope", "EUR", "f", "2026-11-26")
        .unwrap();
    assert!(read.next.unwrap().ends_with("$skip=1000"));
    // What an earlier file said stays.
    assert!(together.of("aks-standard-tier").is_some());
}

#[test]
fn what_is_no_answer_is_refused() {
    for (text, said) in [
        ("", "it is empty"),
        ("{", "EOF while parsing"),
        ("[]", "it is empty"),
        ("{}", "it has no list `Items`"),
        (r#"{"Items": {}}"#, "it has no list `Items`"),
        (r#"{"Error": {"Code": "BadRequest"}}"#, "it holds an error"),
        (r#"{"Items": [1]}"#, "`Items[0]` has no price"),
        (
            r#"{"Items": [{"serviceName": "x", "unitOfMeasure": "1"}]}"#,
            "`Items[0]` has no price",
        ),
        ("<html>", "expected value"),
    ] {
        let error = prices()
            .add_retail(text, "westeurope", "EUR", "f", "2026-11-26")
            .unwrap_err();
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
}

#[test]
fn old_prices_are_named() {
    let mut prices = prices();
    let text = page(&[item(json!({}))], Value::Null);
    prices
        .add_retail(&text, "westeurope", "EUR", "f", "2026-05-01")
        .unwrap();
    assert_eq!(prices.stale("2026-07-30", 90), []);
    assert_eq!(
        prices.stale("2026-07-31", 90),
        [("aks-standard-tier", "2026-05-01")]
    );
}

#[test]
fn the_query_asks_for_what_is_taken() {
    let prices = prices();
    let query = |id: &str| {
        prices
            .meter(id)
            .unwrap()
            .retail
            .as_ref()
            .unwrap()
            .query("westeurope")
    };
    assert_eq!(
        query("aks-standard-tier"),
        "serviceName eq 'Azure Kubernetes Service' and skuName eq 'Standard' \
         and meterName eq 'Standard Uptime SLA' and armRegionName eq 'westeurope' and priceType eq 'Consumption'"
    );
    assert!(query("front-door-premium").contains(
        "(armRegionName eq 'westeurope' or armRegionName eq 'Zone 1' or armRegionName eq 'Global' or armRegionName eq '')"
    ));
}

#[test]
fn amounts_of_your_own_go_beside_those_of_the_api() {
    let mut prices = prices();
    let add = |prices: &mut Prices, text: &str| {
        prices.add_file(text, "westeurope", "EUR", "own.yaml", "2026-11-26")
    };
    let own = "# what the contract says\n- { meter: acns-node, amount: 12.5, currency: EUR, source: contract, seen: 2026-10-01 }\n";
    assert_eq!(add(&mut prices, own).unwrap().meters, ["acns-node".into()]);
    let price = prices.of("acns-node").unwrap();
    assert_eq!(
        (price.flat(), &*price.source, &*price.date),
        (Some(12_500_000), "contract", "2026-10-01")
    );
    let page = page(&[item(json!({}))], Value::Null);
    assert_eq!(
        add(&mut prices, &page).unwrap().meters,
        ["aks-standard-tier".into()]
    );
    assert!(prices.of("acns-node").is_some());
    let entry = "meter: acns-node, amount: 1, currency: EUR, source: x, seen: 2026-10-01";
    for (text, said) in [
        (
            "- { meter: lost, amount: 1, currency: EUR, source: x, seen: 2026-10-01 }".to_owned(),
            "in the list of prices, line 1: `lost` is no meter of the guide",
        ),
        (
            format!("- {{ {entry} }}\n- {{ {entry} }}"),
            "in the list of prices, line 2: `acns-node` has a price already",
        ),
        (
            format!("- {{ {} }}", entry.replace("EUR", "USD")),
            "the prices are in USD, not in EUR",
        ),
        (
            format!("- {{ {} }}", entry.replace("amount: 1", "amount: -1")),
            "in the list of prices, line 1: `amount` is below nothing",
        ),
        (
            format!("- {{ {} }}", entry.replace("2026-10-01", "soon")),
            "in the list of prices, line 1: `seen` must be a date such as 2026-11-26",
        ),
        (
            format!("- {{ {entry}, tax: 1 }}"),
            "in the list of prices, line 1: unknown key `tax`",
        ),
        (
            "- acns-node".to_owned(),
            "in the list of prices, line 1: a map is expected here",
        ),
    ] {
        let mut before = prices.clone();
        let error = add(&mut before, &text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text}: {error}");
        assert_eq!(before.of("acns-node"), prices.of("acns-node"));
    }
}
