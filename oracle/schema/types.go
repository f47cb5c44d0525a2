package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// special are the types that decode themselves: their JSON form is not their
// Go form.
var special = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():                          "quantity",
	reflect.TypeFor[intstr.IntOrString]():                         "intOrString",
	reflect.TypeFor[metav1.Time]():                                "time",
	reflect.TypeFor[metav1.MicroTime]():                           "microTime",
	reflect.TypeFor[metav1.Duration]():                            "duration",
	reflect.TypeFor[metav1.FieldsV1]():                            "any",
	reflect.TypeFor[runtime.RawExtension]():                       "any",
	reflect.TypeFor[apiextensions.JSON]():                         "any",
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrArray]():       "any",
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrBool]():        "any",
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrStringArray](): "any",
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

type reader struct {
	structs map[string]map[string]string
	named   map[string]reflect.Type
}

// structName reads a struct once and returns the name its definition has.
func (r *reader) structName(t reflect.Type) (string, error) {
	name := nameOf(t)
	if other, known := r.named[name]; known {
		if other != t {
			return "", fmt.Errorf("`%s` is the name of two types", name)
		}
		return name, nil
	}
	r.named[name] = t
	fields := map[string]string{}
	r.structs[name] = fields // before its fields: JSONSchemaProps holds itself
	return name, r.addFields(fields, t)
}

// nameOf is `core/v1.PodSpec`, `meta/v1.ObjectMeta`: the two last folders and
// the type, which are unique among Kubernetes' API packages.
func nameOf(t reflect.Type) string {
	folders := strings.Split(t.PkgPath(), "/")
	return folders[len(folders)-2] + "/" + folders[len(folders)-1] + "." + t.Name()
}

func (r *reader) addFields(fields map[string]string, t reflect.Type) error {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" && (field.Anonymous || strings.Contains(options, "inline")) {
			if err := r.addFields(fields, deref(field.Type)); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			name = field.Name
		}
		typ, err := r.typeOf(field.Type)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", t, field.Name, err)
		}
		fields[name] = typ
	}
	return nil
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func (r *reader) typeOf(t reflect.Type) (string, error) {
	t = deref(t)
	if s, ok := special[t]; ok {
		return s, nil
	}
	if t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(unmarshaler) {
		// Nothing is guessed: a new type of this sort must be named above.
		return "", fmt.Errorf("%s decodes itself and is not in the table", t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool", nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int", nil
	case reflect.Float32, reflect.Float64:
		return "number", nil
	case reflect.String:
		return "string", nil
	case reflect.Interface:
		return "any", nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes", nil
		}
		item, err := r.typeOf(t.Elem())
		return "[]" + item, err
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return "", fmt.Errorf("%s: a map whose keys are not strings", t)
		}
		value, err := r.typeOf(t.Elem())
		return "{}" + value, err
	case reflect.Struct:
		name, err := r.structName(t)
		return "#" + name, err
	default:
		return "", fmt.Errorf("%s has no JSON form", t)
	}
}
