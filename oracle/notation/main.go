// Command notation signs images and verifies them with the Notary Project's own library.
//
// Input, a JSON line each: {"do": "sign", "image": "HOST/NAME@DIGEST", "key": FILE, "chain": FILE, "format":
// "jws" | "cose", "expiry": SECONDS} or {"do": "verify", "image": …, "config": DIR}, where DIR holds trustpolicy.json
// and truststore/ as Notation keeps them. Registries are on this machine and speak plain HTTP. Output, a line each:
// {"signed": DIGEST of what was signed}, {"verified": true}, {"verified": false, "why": …} or {"error": …}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	"github.com/notaryproject/notation-go/plugin"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
)

type question struct {
	Do     string `json:"do"`
	Image  string `json:"image"`
	Key    string `json:"key"`
	Chain  string `json:"chain"`
	Format string `json:"format"`
	Expiry int    `json:"expiry"`
	Config string `json:"config"`
}

type answer struct {
	Signed   string `json:"signed,omitempty"`
	Verified *bool  `json:"verified,omitempty"`
	Why      string `json:"why,omitempty"`
	Error    string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		said, err := answer{}, json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			said, err = respond(asked)
		}
		if err != nil {
			said = answer{Error: err.Error()}
		}
		if err := out.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func respond(asked question) (answer, error) {
	ctx := context.Background()
	at, err := remote.NewRepository(asked.Image)
	if err != nil {
		return answer{}, err
	}
	at.PlainHTTP = true
	repository := registry.NewRepository(at)
	switch asked.Do {
	case "sign":
		by, err := signer.NewGenericSignerFromFiles(asked.Key, asked.Chain)
		if err != nil {
			return answer{}, err
		}
		subject, err := notation.Sign(ctx, by, repository, notation.SignOptions{
			SignerSignOptions: notation.SignerSignOptions{
				SignatureMediaType: map[string]string{"jws": "application/jose+json", "cose": "application/cose"}[asked.Format],
				ExpiryDuration:     time.Duration(asked.Expiry) * time.Second,
			},
			ArtifactReference: asked.Image,
		})
		if err != nil {
			return answer{}, err
		}
		return answer{Signed: subject.Digest.String()}, nil
	case "verify":
		text, err := os.ReadFile(filepath.Join(asked.Config, "trustpolicy.json"))
		if err != nil {
			return answer{}, err
		}
		var policy trustpolicy.Document
		if err := json.Unmarshal(text, &policy); err != nil {
			return answer{}, err
		}
		store := truststore.NewX509TrustStore(dir.NewSysFS(asked.Config))
		by, err := verifier.New(&policy, store, plugin.NewCLIManager(dir.NewSysFS(asked.Config)))
		if err != nil {
			return answer{}, err
		}
		_, _, err = notation.Verify(ctx, by, repository, notation.VerifyOptions{
			ArtifactReference:    asked.Image,
			MaxSignatureAttempts: 50,
		})
		verified := err == nil
		said := answer{Verified: &verified}
		if err != nil {
			said.Why = err.Error()
		}
		return said, nil
	}
	return answer{}, fmt.Errorf("what is %q", asked.Do)
}
