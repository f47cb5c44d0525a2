package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	_ "unsafe" // for linkname

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyv1 "k8s.io/client-go/applyconfigurations/rbac/v1"
	clientv1 "k8s.io/client-go/kubernetes/typed/rbac/v1"
	listersv1 "k8s.io/client-go/listers/rbac/v1"
	"k8s.io/client-go/tools/cache"
	aggregation "k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
)

// The controller's step for one ClusterRole. It has no other name outside of its
// package, and its queue would make an oracle wait.
//
//go:linkname syncClusterRole k8s.io/kubernetes/pkg/controller/clusterroleaggregation.(*ClusterRoleAggregationController).syncClusterRole
func syncClusterRole(c *aggregation.ClusterRoleAggregationController, ctx context.Context, key string) error

// store stands in for the API server: what the controller lists and what it
// writes. The embedded interfaces are what it never calls.
type store struct {
	clientv1.ClusterRoleInterface
	indexer cache.Indexer
	written int
}

type informer struct {
	cache.SharedIndexInformer
}

func (informer) AddEventHandler(cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	return nil, nil
}

func (informer) HasSynced() bool { return true }

func (s *store) Informer() cache.SharedIndexInformer { return informer{} }

func (s *store) Lister() listersv1.ClusterRoleLister {
	return listersv1.NewClusterRoleLister(s.indexer)
}

func (s *store) ClusterRoles() clientv1.ClusterRoleInterface { return s }

func (s *store) Apply(_ context.Context, wanted *applyv1.ClusterRoleApplyConfiguration, _ metav1.ApplyOptions) (*rbacv1.ClusterRole, error) {
	text, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	said := rbacv1.ClusterRole{}
	if err := json.Unmarshal(text, &said); err != nil {
		return nil, err
	}
	found, ok, err := s.indexer.GetByKey(said.Name)
	if err != nil || !ok {
		return nil, fmt.Errorf("there is no ClusterRole %q", said.Name)
	}
	// The estate's own object, so that the authorizer sees it too.
	role := found.(*rbacv1.ClusterRole)
	// A list without items is not sent, and what is not applied stays as somebody else wrote it.
	if len(said.Rules) > 0 {
		role.Rules = said.Rules
		s.written++
	}
	return role, nil
}

// aggregate runs the controller until it has nothing left to write.
func aggregate(roles []*rbacv1.ClusterRole) error {
	s := &store{indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})}
	names := []string{}
	for _, role := range roles {
		if err := s.indexer.Add(role); err != nil {
			return err
		}
		if role.AggregationRule != nil {
			names = append(names, role.Name)
		}
	}
	sort.Strings(names)
	controller := aggregation.NewClusterRoleAggregation(s, s)
	for round := 0; round <= len(names)+1; round++ {
		s.written = 0
		for _, name := range names {
			if err := syncClusterRole(controller, context.Background(), name); err != nil {
				return err
			}
		}
		if s.written == 0 {
			return nil
		}
	}
	return fmt.Errorf("aggregation does not come to rest")
}
