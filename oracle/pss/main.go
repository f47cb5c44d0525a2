// Command oracle-pss asks Kubernetes' own pod security evaluator about pods. It
// reads JSON lines and answers each with one:
//
//	{"level": "restricted", "version": "v1.34", "pod": {…a Pod or a workload…}}
//	{"allowed": false, "failed": [{"check": "hostNamespaces", "reason": "host namespaces", "detail": "hostNetwork=true"}]}
//
// `version` defaults to latest. Objects are decoded strictly and given the API
// server's defaults (a volume without a source becomes an emptyDir), as they
// have when admission sees them. What cannot be judged is answered with
// {"error": "…"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/pod-security-admission/admission"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type question struct {
	Level   string          `json:"level"`
	Version string          `json:"version"`
	Pod     json.RawMessage `json:"pod"`
}

type failure struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

type answer struct {
	Allowed bool      `json:"allowed"`
	Failed  []failure `json:"failed"`
}

type oracle struct {
	evaluator policy.Evaluator
	codecs    serializer.CodecFactory
	failed    []failure // of the pod that is being judged
}

func main() {
	o, err := newOracle()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var reply any
		if a, err := o.ask(lines.Bytes()); err != nil {
			reply = map[string]string{"error": err.Error()}
		} else {
			reply = a
		}
		if err := encoder.Encode(reply); err == nil {
			// One answer a line, at once: the asker may wait for it.
			err = out.Flush()
		}
		if err != nil {
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// newOracle wraps every check so that its id is known: the evaluator itself
// returns results without one. Which checks run, and which override which,
// stays the evaluator's decision.
func newOracle() (*oracle, error) {
	o := &oracle{codecs: serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)}
	checks := policy.DefaultChecks()
	for i := range checks {
		id := string(checks[i].ID)
		versions := make([]policy.VersionedCheck, len(checks[i].Versions))
		copy(versions, checks[i].Versions)
		for j := range versions {
			check := versions[j].CheckPod
			versions[j].CheckPod = func(meta *metav1.ObjectMeta, spec *corev1.PodSpec) policy.CheckResult {
				result := check(meta, spec)
				if !result.Allowed {
					o.failed = append(o.failed, failure{id, result.ForbiddenReason, result.ForbiddenDetail})
				}
				return result
			}
		}
		checks[i].Versions = versions
	}
	evaluator, err := policy.NewEvaluator(checks)
	o.evaluator = evaluator
	return o, err
}

func (o *oracle) ask(line []byte) (*answer, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	if q.Version == "" {
		q.Version = "latest"
	}
	level, err := api.ParseLevel(q.Level)
	if err != nil {
		return nil, fmt.Errorf("level: %w", err)
	}
	version, err := api.ParseVersion(q.Version)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	object, _, err := o.codecs.UniversalDeserializer().Decode(q.Pod, nil, nil)
	if err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(object)
	meta, spec, err := admission.DefaultPodSpecExtractor{}.ExtractPodSpec(object)
	if err != nil {
		return nil, err
	}
	if spec == nil {
		return nil, fmt.Errorf("the object has no pod")
	}
	o.failed = []failure{}
	result := policy.AggregateCheckResults(o.evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, meta, spec))
	return &answer{Allowed: result.Allowed, Failed: o.failed}, nil
}
