// Cyclonus' generated cases of NetworkPolicy, and what its own matcher says of each: one JSON line
// for each step of a case, with the objects and the truth table of every pair of pods and port.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/generator"
	"github.com/mattfenwick/cyclonus/pkg/matcher"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type pod struct {
	namespace, name, ip string
	labels              map[string]string
}

type state struct {
	namespaces map[string]map[string]string
	pods       map[string]*pod
	policies   map[string]*networkingv1.NetworkPolicy
	addresses  int
}

// One port of one pair.
type truth struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
	Allowed  bool   `json:"allowed"`
}

type step struct {
	Case    string  `json:"case"`
	Step    int     `json:"step"`
	Objects []any   `json:"objects"`
	Truths  []truth `json:"truths"`
}

var (
	ports     = []int{80, 81}
	protocols = []v1.Protocol{v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP}
)

func portName(port int, protocol v1.Protocol) string {
	return fmt.Sprintf("serve-%d-%s", port, strings.ToLower(string(protocol)))
}

func start() *state {
	s := &state{
		namespaces: map[string]map[string]string{},
		pods:       map[string]*pod{},
		policies:   map[string]*networkingv1.NetworkPolicy{},
	}
	for _, namespace := range []string{"x", "y", "z"} {
		s.setNamespace(namespace, map[string]string{"ns": namespace})
		for _, name := range []string{"a", "b", "c"} {
			s.addPod(namespace, name, map[string]string{"pod": name})
		}
	}
	return s
}

func (s *state) setNamespace(name string, labels map[string]string) {
	own := map[string]string{}
	for key, value := range labels {
		own[key] = value
	}
	// The API server puts it on every namespace.
	own["kubernetes.io/metadata.name"] = name
	s.namespaces[name] = own
}

func (s *state) addPod(namespace, name string, labels map[string]string) {
	s.addresses++
	s.pods[namespace+"/"+name] = &pod{namespace, name, fmt.Sprintf("192.168.242.%d", 10*s.addresses), labels}
}

func (s *state) act(action *generator.Action) {
	switch {
	case action.CreatePolicy != nil:
		s.setPolicy(action.CreatePolicy.Policy)
	case action.UpdatePolicy != nil:
		s.setPolicy(action.UpdatePolicy.Policy)
	case action.DeletePolicy != nil:
		delete(s.policies, action.DeletePolicy.Namespace+"/"+action.DeletePolicy.Name)
	case action.CreateNamespace != nil:
		s.setNamespace(action.CreateNamespace.Namespace, action.CreateNamespace.Labels)
	case action.SetNamespaceLabels != nil:
		s.setNamespace(action.SetNamespaceLabels.Namespace, action.SetNamespaceLabels.Labels)
	case action.DeleteNamespace != nil:
		gone := action.DeleteNamespace.Namespace
		delete(s.namespaces, gone)
		for key, one := range s.pods {
			if one.namespace == gone {
				delete(s.pods, key)
			}
		}
		for key, one := range s.policies {
			if one.Namespace == gone {
				delete(s.policies, key)
			}
		}
	case action.CreatePod != nil:
		s.addPod(action.CreatePod.Namespace, action.CreatePod.Pod, action.CreatePod.Labels)
	case action.SetPodLabels != nil:
		s.pods[action.SetPodLabels.Namespace+"/"+action.SetPodLabels.Pod].labels = action.SetPodLabels.Labels
	case action.DeletePod != nil:
		delete(s.pods, action.DeletePod.Namespace+"/"+action.DeletePod.Pod)
	case action.ReadNetworkPolicies != nil:
		// Nothing changes: every policy was made by a step.
	default:
		log.Fatal("an action that nobody knows")
	}
}

func (s *state) setPolicy(policy *networkingv1.NetworkPolicy) {
	s.policies[policy.Namespace+"/"+policy.Name] = policy
}

func keys[V any](of map[string]V) []string {
	found := make([]string, 0, len(of))
	for key := range of {
		found = append(found, key)
	}
	sort.Strings(found)
	return found
}

func (s *state) objects() []any {
	var found []any
	for _, name := range keys(s.namespaces) {
		found = append(found, v1.Namespace{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: s.namespaces[name]},
		})
	}
	for _, key := range keys(s.pods) {
		one := s.pods[key]
		var containers []v1.Container
		for _, port := range ports {
			for _, protocol := range protocols {
				name := portName(port, protocol)
				containers = append(containers, v1.Container{
					Name:  name,
					Ports: []v1.ContainerPort{{Name: name, ContainerPort: int32(port), Protocol: protocol}},
				})
			}
		}
		found = append(found, v1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Namespace: one.namespace, Name: one.name, Labels: one.labels},
			Spec:       v1.PodSpec{Containers: containers},
			Status:     v1.PodStatus{PodIP: one.ip},
		})
	}
	for _, key := range keys(s.policies) {
		policy := s.policies[key].DeepCopy()
		policy.TypeMeta = metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}
		found = append(found, policy)
	}
	return found
}

func (s *state) peer(one *pod) *matcher.TrafficPeer {
	return &matcher.TrafficPeer{
		IP: one.ip,
		Internal: &matcher.InternalPeer{
			PodLabels:       one.labels,
			NamespaceLabels: s.namespaces[one.namespace],
			Namespace:       one.namespace,
		},
	}
}

func (s *state) truths(simplify bool) []truth {
	var policies []*networkingv1.NetworkPolicy
	for _, key := range keys(s.policies) {
		policies = append(policies, s.policies[key])
	}
	parsed := matcher.BuildNetworkPolicies(simplify, policies)
	var found []truth
	for _, from := range keys(s.pods) {
		for _, to := range keys(s.pods) {
			if from == to {
				continue
			}
			for _, protocol := range protocols {
				for _, port := range ports {
					allowed := parsed.IsTrafficAllowed(&matcher.Traffic{
						Source:           s.peer(s.pods[from]),
						Destination:      s.peer(s.pods[to]),
						ResolvedPort:     port,
						ResolvedPortName: portName(port, protocol),
						Protocol:         protocol,
					}).IsAllowed()
					found = append(found, truth{from, to, string(protocol), port, allowed})
				}
			}
		}
	}
	return found
}

func main() {
	log.SetFlags(0)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	write := json.NewEncoder(out)
	address := start().pods["z/c"].ip
	namespaces := []string{"x", "y", "z"}
	cases := generator.NewTestCaseGenerator(true, address, namespaces, nil, nil).GenerateTestCases()
	for _, one := range cases {
		now := start()
		for number, part := range one.Steps {
			for _, action := range part.Actions {
				now.act(action)
			}
			made := step{one.Description, number, now.objects(), now.truths(true)}
			if err := write.Encode(made); err != nil {
				log.Fatal(err)
			}
		}
	}
}
