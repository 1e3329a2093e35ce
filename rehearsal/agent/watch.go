package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// watched is the part of the cluster that the agents look at, kept up to date in memory.
type watched struct {
	nodes, pods, configs, secrets cache.SharedIndexInformer
	// workloads are the pods that this program plays whole; pods are the agents'.
	workloads cache.SharedIndexInformer
	// kwoks are the pods that kwok plays.
	kwoks  cache.SharedIndexInformer
	custom *customWatch
}

// byNode indexes workloads by their node.
const byNode = "node"

// notKubeSystem and notCiliums leave out the pods that kwok plays (stages.ts has the same rule).
const (
	notKubeSystem = "metadata.namespace!=kube-system"
	notCiliums    = "k8s-app!=cilium,app.kubernetes.io/part-of!=cilium"
	notAgents     = "k8s-app!=cilium"
)

// customWatch holds what can be watched only when Cilium's definitions exist.
type customWatch struct {
	mu                 sync.Mutex
	nodes, nodeConfigs cache.Indexer
	life               context.Context
	// changed is called when a CiliumNode changes.
	changed func()
}

func watch(ctx context.Context, client kubernetes.Interface) watched {
	only := func(change func(*metav1.ListOptions)) informers.SharedInformerFactory {
		return informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(change))
	}
	nodes := only(func(o *metav1.ListOptions) { o.LabelSelector = simulatedLabel })
	pods := only(func(o *metav1.ListOptions) { o.LabelSelector = agentLabel })
	workloads := only(func(o *metav1.ListOptions) { o.FieldSelector, o.LabelSelector = notKubeSystem, notCiliums })
	kwoks := only(func(o *metav1.ListOptions) {
		o.FieldSelector, o.LabelSelector = "metadata.namespace=kube-system", notAgents
	})
	configs := only(func(o *metav1.ListOptions) { o.FieldSelector = "metadata.name=" + configName })
	// Helm keeps whole releases in Secrets; no agent mounts those.
	secrets := only(func(o *metav1.ListOptions) { o.FieldSelector = "type!=helm.sh/release.v1" })
	all := watched{
		nodes:     nodes.Core().V1().Nodes().Informer(),
		pods:      pods.Core().V1().Pods().Informer(),
		workloads: workloads.Core().V1().Pods().Informer(),
		kwoks:     kwoks.Core().V1().Pods().Informer(),
		configs:   configs.Core().V1().ConfigMaps().Informer(),
		secrets:   secrets.Core().V1().Secrets().Informer(),
		custom:    &customWatch{life: ctx, changed: func() {}},
	}
	// It fails only after a start.
	_ = all.workloads.AddIndexers(cache.Indexers{byNode: func(object any) ([]string, error) {
		return []string{object.(*corev1.Pod).Spec.NodeName}, nil
	}})
	for _, factory := range []informers.SharedInformerFactory{nodes, pods, workloads, kwoks, configs, secrets} {
		factory.Start(ctx.Done())
	}
	return all
}

func (w watched) synced(ctx context.Context) bool {
	return cache.WaitForCacheSync(ctx.Done(), w.nodes.HasSynced, w.pods.HasSynced, w.workloads.HasSynced, w.kwoks.HasSynced, w.configs.HasSynced, w.secrets.HasSynced)
}

// afterInstall registers Cilium's definitions, as its operator does when it first runs, and watches their objects.
func (w watched) afterInstall(ctx context.Context, client dynamic.Interface) error {
	w.custom.mu.Lock()
	defer w.custom.mu.Unlock()
	if w.custom.nodes != nil {
		return nil
	}
	for _, definition := range customResources() {
		_, err := client.Resource(crdResource).Create(ctx, definition, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	for _, resource := range []schema.GroupVersionResource{ciliumNodes, ciliumNodeConfigs} {
		// Served a moment after it is registered.
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
			_, err := client.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
			return err == nil, nil
		})
		if err != nil {
			return err
		}
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	nodes, nodeConfigs := factory.ForResource(ciliumNodes).Informer(), factory.ForResource(ciliumNodeConfigs).Informer()
	changed := func(any) { w.custom.changed() }
	if _, err := nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: changed, UpdateFunc: func(_, now any) { changed(now) }, DeleteFunc: changed,
	}); err != nil {
		return err
	}
	factory.Start(w.custom.life.Done())
	if !cache.WaitForCacheSync(ctx.Done(), nodes.HasSynced, nodeConfigs.HasSynced) {
		return ctx.Err()
	}
	w.custom.nodes, w.custom.nodeConfigs = nodes.GetIndexer(), nodeConfigs.GetIndexer()
	return nil
}

// ciliumNodes are those that the API server holds, by name.
func (w watched) ciliumNodes() []*unstructured.Unstructured {
	w.custom.mu.Lock()
	indexer := w.custom.nodes
	w.custom.mu.Unlock()
	return sorted(indexer)
}

func (w watched) nodeConfigs(namespace string) []*unstructured.Unstructured {
	w.custom.mu.Lock()
	indexer := w.custom.nodeConfigs
	w.custom.mu.Unlock()
	return slices.DeleteFunc(sorted(indexer), func(config *unstructured.Unstructured) bool { return config.GetNamespace() != namespace })
}

func sorted(indexer cache.Indexer) []*unstructured.Unstructured {
	if indexer == nil {
		return nil
	}
	var objects []*unstructured.Unstructured
	for _, object := range indexer.List() {
		objects = append(objects, object.(*unstructured.Unstructured))
	}
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) })
	return objects
}

func selects(selector *metav1.LabelSelector, nodeLabels map[string]string) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(nodeLabels))
}
