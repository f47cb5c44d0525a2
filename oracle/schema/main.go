// Command oracle-schema prints the shape of every Kubernetes kind as compact
// JSON, read from the Go types that the API server itself decodes into:
//
//	oracle-schema [DISCOVERY-DIR]
//
// The optional argument is the folder api/discovery of k8s.io/kubernetes; with
// it each kind also says its resource, its scope and whether the release can
// serve it (alpha and beta versions count as served: a flag turns them on).
//
// Types are strings: bool, int, number, string, quantity, intOrString, time,
// microTime, duration, bytes, any; `[]T` is a list, `{}T` a map from string,
// `#NAME` a struct under `structs`. Embedded structs are already folded in.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	aggregator "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const release = "1.34"

// kind is one group, version and kind. `Removed` names the minor release that
// stopped serving it, whether or not the types are still there.
type kind struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"`
	Struct      string `json:"struct,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Namespaced  *bool  `json:"namespaced,omitempty"`
	Served      *bool  `json:"served,omitempty"`
	Introduced  string `json:"introduced,omitempty"`
	Deprecated  string `json:"deprecated,omitempty"`
	Removed     string `json:"removed,omitempty"`
	Replacement string `json:"replacement,omitempty"`
}

type document struct {
	Kubernetes string                       `json:"kubernetes"`
	Kinds      []kind                       `json:"kinds"`
	Structs    map[string]map[string]string `json:"structs"`
}

// gone are kinds whose Go types Kubernetes has deleted; the release that
// stopped serving them is from Kubernetes' deprecated API migration guide.
var gone = []kind{
	{APIVersion: "policy/v1beta1", Kind: "PodSecurityPolicy", Removed: "1.25"},
	{APIVersion: "extensions/v1beta1", Kind: "PodSecurityPolicy", Removed: "1.16"},
	{APIVersion: "settings.k8s.io/v1alpha1", Kind: "PodPreset", Removed: "1.20"},
	{APIVersion: "auditregistration.k8s.io/v1alpha1", Kind: "AuditSink", Removed: "1.19"},
	{APIVersion: "apiextensions.k8s.io/v1beta1", Kind: "CustomResourceDefinition", Removed: "1.22", Replacement: "apiextensions.k8s.io/v1"},
	{APIVersion: "apiregistration.k8s.io/v1beta1", Kind: "APIService", Removed: "1.22", Replacement: "apiregistration.k8s.io/v1"},
}

func main() {
	discovery := ""
	if len(os.Args) > 1 {
		discovery = os.Args[1]
	}
	if err := run(discovery); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(discovery string) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgo.AddToScheme, apiextensions.AddToScheme, aggregator.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	served, err := readDiscovery(discovery)
	if err != nil {
		return err
	}
	r := reader{structs: map[string]map[string]string{}, named: map[string]reflect.Type{}}
	doc := document{Kubernetes: release, Structs: r.structs}
	for gvk, goType := range scheme.AllKnownTypes() {
		if !isManifest(gvk, goType) {
			continue
		}
		name, err := r.structName(goType)
		if err != nil {
			return fmt.Errorf("%s: %w", gvk, err)
		}
		k := kind{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Struct: name}
		k.lifecycle(goType)
		k.served(served, gvk)
		doc.Kinds = append(doc.Kinds, k)
	}
	for _, k := range gone {
		if !scheme.Recognizes(schema.FromAPIVersionAndKind(k.APIVersion, k.Kind)) {
			doc.Kinds = append(doc.Kinds, k)
		}
	}
	sort.Slice(doc.Kinds, func(i, j int) bool {
		a, b := doc.Kinds[i], doc.Kinds[j]
		return a.APIVersion+"/"+a.Kind < b.APIVersion+"/"+b.Kind
	})
	return write(doc)
}

// isManifest leaves out what is registered in every group for the machinery's
// sake: options, watch events, internal versions.
func isManifest(gvk schema.GroupVersionKind, goType reflect.Type) bool {
	if gvk.Version == runtime.APIVersionInternal {
		return false
	}
	if strings.HasSuffix(goType.PkgPath(), "apimachinery/pkg/apis/meta/v1") {
		return gvk.Kind == "List" && gvk.Group == ""
	}
	_, hasTypeMeta := goType.FieldByName("TypeMeta")
	return hasTypeMeta
}

// write prints one kind and one struct a line, so that a new release is a
// readable diff.
func write(doc document) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"kubernetes\":%q,\n\"kinds\":[\n", doc.Kubernetes)
	for i, k := range doc.Kinds {
		if err := line(&out, "", k, i+1 < len(doc.Kinds)); err != nil {
			return err
		}
	}
	out.WriteString("],\n\"structs\":{\n")
	names := make([]string, 0, len(doc.Structs))
	for name := range doc.Structs {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		if err := line(&out, fmt.Sprintf("%q:", name), doc.Structs[name], i+1 < len(names)); err != nil {
			return err
		}
	}
	out.WriteString("}}\n")
	_, err := os.Stdout.Write(out.Bytes())
	return err
}

func line(out *bytes.Buffer, key string, value any, more bool) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	out.WriteString(key)
	out.Write(text)
	if more {
		out.WriteByte(',')
	}
	out.WriteByte('\n')
	return nil
}

func (k *kind) lifecycle(goType reflect.Type) {
	object := reflect.New(goType).Interface()
	if o, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
		k.Introduced = minor(o.APILifecycleIntroduced())
	}
	if o, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok {
		k.Deprecated = minor(o.APILifecycleDeprecated())
	}
	if o, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
		k.Removed = minor(o.APILifecycleRemoved())
	}
	if o, ok := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); ok {
		gvk := o.APILifecycleReplacement()
		k.Replacement = gvk.GroupVersion().String()
		if gvk.Kind != k.Kind {
			k.Replacement += "/" + gvk.Kind
		}
	}
}

func minor(major, minor int) string {
	if major == 0 && minor == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", major, minor)
}

// discovered is what discovery says of a kind; a kind that only a subresource
// takes has no resource name.
type discovered struct {
	resource   string
	namespaced bool
}

func (k *kind) served(all map[schema.GroupVersionKind]discovered, gvk schema.GroupVersionKind) {
	if all == nil || gvk.Kind == "List" {
		return // `List` is the clients' envelope; no server has it
	}
	found, ok := all[gvk]
	if item, isList := strings.CutSuffix(gvk.Kind, "List"); !ok && isList {
		// A list is served wherever its items are; it has no resource of its
		// own.
		_, ok = all[gvk.GroupVersion().WithKind(item)]
	}
	k.Served = &ok
	if found.resource != "" {
		k.Resource = found.resource
		k.Namespaced = &found.namespaced
	}
}

// readDiscovery reads Kubernetes' api/discovery folder: one list of resources
// a group and version. Without a folder nothing is known.
func readDiscovery(folder string) (map[schema.GroupVersionKind]discovered, error) {
	if folder == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "api*__*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no discovery documents in `%s`", folder)
	}
	all := map[schema.GroupVersionKind]discovered{}
	for _, file := range files {
		if err := addDiscovery(all, file); err != nil {
			return nil, fmt.Errorf("`%s`: %w", filepath.Base(file), err)
		}
	}
	return all, nil
}

func addDiscovery(all map[schema.GroupVersionKind]discovered, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(text, &list); err != nil || list.Kind != "APIResourceList" {
		return err
	}
	for _, r := range list.APIResources {
		gvk := schema.FromAPIVersionAndKind(list.GroupVersion, r.Kind)
		if r.Version != "" {
			gvk.Group, gvk.Version = r.Group, r.Version
		}
		if strings.Contains(r.Name, "/") {
			// A subresource says that the kind is served, not under which name.
			if _, known := all[gvk]; !known {
				all[gvk] = discovered{}
			}
			continue
		}
		all[gvk] = discovered{r.Name, r.Namespaced}
	}
	return nil
}
