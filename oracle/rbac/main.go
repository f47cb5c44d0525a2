// Command oracle-rbac asks Kubernetes' own RBAC authorizer, and the checks
// against escalation of its RBAC registry. It reads JSON lines and answers each
// with one:
//
//	{"estate": {"roles": […], "clusterRoles": […], "roleBindings": […], "clusterRoleBindings": […]}}
//	{"roles": 3}
//
// sets what is asked about; ClusterRoles are aggregated first, by the controller's
// own code, until nothing changes.
//
//	{"review": {…spec of a SubjectAccessReview…}}
//	{"allowed": true, "reason": "RBAC: allowed by …"}
//
//	{"bind": {"user": "jane", "groups": [], "roleRef": {…}, "namespace": "shop"}}
//	{"explicit": false, "covered": true}
//
//	{"write": {"user": "jane", "groups": [], "namespace": "", "name": "x", "rules": […], "aggregates": false}}
//	{"explicit": false, "covered": true}
//
// `bind` is what stands in the way of a binding in a namespace (empty: a
// ClusterRoleBinding), `write` of a Role or ClusterRole. What cannot be judged is
// answered with {"error": "…"}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/authorization/union"
	"k8s.io/apiserver/pkg/endpoints/request"
	authorizationapi "k8s.io/kubernetes/pkg/apis/authorization"
	authorizationconversion "k8s.io/kubernetes/pkg/apis/authorization/v1"
	"k8s.io/kubernetes/pkg/apis/rbac"
	rbacconversion "k8s.io/kubernetes/pkg/apis/rbac/v1"
	authorizationutil "k8s.io/kubernetes/pkg/registry/authorization/util"
	rbacregistry "k8s.io/kubernetes/pkg/registry/rbac"
	"k8s.io/kubernetes/pkg/registry/rbac/validation"
	rbacauthorizer "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

type estate struct {
	Roles               []*rbacv1.Role               `json:"roles"`
	ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles"`
	RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings"`
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings"`
}

type who struct {
	User   string   `json:"user"`
	Groups []string `json:"groups"`
}

type bindQuestion struct {
	who
	RoleRef   rbacv1.RoleRef `json:"roleRef"`
	Namespace string         `json:"namespace"`
}

type writeQuestion struct {
	who
	Namespace  string              `json:"namespace"`
	Name       string              `json:"name"`
	Rules      []rbacv1.PolicyRule `json:"rules"`
	Aggregates bool                `json:"aggregates"`
}

type question struct {
	Estate *estate                                  `json:"estate"`
	Review *authorizationv1.SubjectAccessReviewSpec `json:"review"`
	Bind   *bindQuestion                            `json:"bind"`
	Write  *writeQuestion                           `json:"write"`
}

type checked struct {
	Explicit bool `json:"explicit"`
	Covered  bool `json:"covered"`
}

type oracle struct {
	resolver   validation.AuthorizationRuleResolver
	authorizer authorizer.Authorizer
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 256<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	o := &oracle{}
	for lines.Scan() {
		reply, err := o.ask(lines.Bytes())
		if err != nil {
			reply = map[string]string{"error": err.Error()}
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

func (o *oracle) ask(line []byte) (any, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	switch {
	case q.Estate != nil:
		if err := aggregate(q.Estate.ClusterRoles); err != nil {
			return nil, err
		}
		resolver, static := validation.NewTestRuleResolver(
			q.Estate.Roles, q.Estate.RoleBindings, q.Estate.ClusterRoles, q.Estate.ClusterRoleBindings)
		o.resolver = resolver
		// As pkg/kubeapiserver/authorizer puts them one after the other.
		o.authorizer = union.New(
			authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup),
			rbacauthorizer.New(static, static, static, static))
		return map[string]int{"roles": len(q.Estate.Roles) + len(q.Estate.ClusterRoles)}, nil
	case o.authorizer == nil:
		return nil, fmt.Errorf("there is no estate yet")
	case q.Review != nil:
		return o.review(q.Review)
	case q.Bind != nil:
		return o.bind(q.Bind)
	case q.Write != nil:
		return o.write(q.Write)
	}
	return nil, fmt.Errorf("nothing is asked")
}

func (o *oracle) review(v1 *authorizationv1.SubjectAccessReviewSpec) (any, error) {
	spec := authorizationapi.SubjectAccessReviewSpec{}
	if err := authorizationconversion.Convert_v1_SubjectAccessReviewSpec_To_authorization_SubjectAccessReviewSpec(v1, &spec, nil); err != nil {
		return nil, err
	}
	if (spec.ResourceAttributes == nil) == (spec.NonResourceAttributes == nil) {
		return nil, fmt.Errorf("either resourceAttributes or nonResourceAttributes is needed")
	}
	decision, reason, err := o.authorizer.Authorize(context.Background(), authorizationutil.AuthorizationAttributesFrom(spec))
	if err != nil {
		return nil, err
	}
	return map[string]any{"allowed": decision == authorizer.DecisionAllow, "reason": reason}, nil
}

func (w who) context(namespace string) context.Context {
	ctx := request.WithUser(context.Background(), &user.DefaultInfo{Name: w.User, Groups: w.Groups})
	return request.WithNamespace(ctx, namespace)
}

// As pkg/registry/rbac/rolebinding/policybased and clusterrolebinding/policybased do.
func (o *oracle) bind(q *bindQuestion) (any, error) {
	ctx := q.context(q.Namespace)
	ref := rbac.RoleRef{}
	if err := rbacconversion.Convert_v1_RoleRef_To_rbac_RoleRef(&q.RoleRef, &ref, nil); err != nil {
		return nil, err
	}
	if rbacregistry.EscalationAllowed(ctx) || rbacregistry.BindingAuthorized(ctx, ref, q.Namespace, o.authorizer) {
		return checked{Explicit: true}, nil
	}
	rules, err := o.resolver.GetRoleReferenceRules(ctx, q.RoleRef, q.Namespace)
	if err != nil {
		return checked{}, nil
	}
	return checked{Covered: validation.ConfirmNoEscalation(ctx, o.resolver, rules) == nil}, nil
}

// As pkg/registry/rbac/role/policybased and clusterrole/policybased do.
func (o *oracle) write(q *writeQuestion) (any, error) {
	resource := "roles"
	if q.Namespace == "" {
		resource = "clusterroles"
	}
	ctx := request.WithRequestInfo(q.context(q.Namespace), &request.RequestInfo{
		IsResourceRequest: true,
		APIGroup:          rbac.GroupName,
		APIVersion:        "v1",
		Resource:          resource,
		Namespace:         q.Namespace,
		Name:              q.Name,
	})
	if rbacregistry.EscalationAllowed(ctx) || rbacregistry.RoleEscalationAuthorized(ctx, o.authorizer) {
		return checked{Explicit: true}, nil
	}
	if validation.ConfirmNoEscalation(ctx, o.resolver, q.Rules) != nil {
		return checked{}, nil
	}
	all := []rbacv1.PolicyRule{
		{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
		{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}},
	}
	if q.Aggregates && validation.ConfirmNoEscalation(ctx, o.resolver, all) != nil {
		return checked{}, nil
	}
	return checked{Covered: true}, nil
}
