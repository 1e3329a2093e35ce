package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const (
	// agentLabel is the chart's label of the agents' pods.
	agentLabel = "k8s-app=cilium"
	// configName is the ConfigMap that all agents read; the chart fixes it.
	configName = "cilium-config"
	// keysVolume is the agents' volume with the IPsec keys, which only the IPsec mode has.
	keysVolume = "cilium-ipsec-secrets"
	// notReadyTaint keeps pods away from a node until its agent runs; the agent takes it off.
	notReadyTaint = "node.cilium.io/agent-not-ready"
)

// runner carries the world's decisions to the API server and to the network.
type runner struct {
	world     *world
	network   *network
	workloads *workloads
	client    kubernetes.Interface
	dynamic   dynamic.Interface
	watched   watched
	queue     workqueue.TypedRateLimitingInterface[task]
}

// task is something to bring up to date.
type task struct {
	of  taskKind
	key string
}

type taskKind string

const (
	forAgent    taskKind = "agent"
	forWorkload taskKind = "pod"
	// forDatapath is a node's, by the node's name.
	forDatapath taskKind = "datapath"
)

// work handles tasks until the queue is closed.
func (r *runner) work(ctx context.Context) {
	for {
		next, closed := r.queue.Get()
		if closed {
			return
		}
		var err error
		switch next.of {
		case forAgent:
			err = r.reconcileAgent(ctx, next.key)
		case forWorkload:
			err = r.reconcileWorkload(ctx, next.key)
		case forDatapath:
			err = r.applyDatapath(next.key)
		}
		if err != nil {
			slog.Warn("will be tried again", string(next.of), next.key, "err", err)
			r.queue.AddRateLimited(next)
		} else {
			r.queue.Forget(next)
		}
		r.queue.Done(next)
	}
}

// reconcileAgent brings one agent's pod, and what its agent publishes, to what the world says.
func (r *runner) reconcileAgent(ctx context.Context, key string) error {
	object, exists, err := r.watched.pods.GetIndexer().GetByKey(key)
	if err != nil {
		return err
	}
	pod, _ := object.(*corev1.Pod)
	if !exists || pod.DeletionTimestamp != nil {
		r.world.stop(key)
		return nil
	}
	nodeObject, exists, err := r.watched.nodes.GetIndexer().GetByKey(pod.Spec.NodeName)
	if err != nil || !exists {
		return err
	}
	node := nodeObject.(*corev1.Node)
	if err := r.boot(ctx, node); err != nil {
		return err
	}
	if err := r.watched.afterInstall(ctx, r.dynamic); err != nil {
		return err
	}
	read := r.read(pod, node)
	if spi, reclaim := r.world.rotate(key, read); spi != 0 {
		time.AfterFunc(reclaim, func() {
			r.world.reclaim(key, spi)
			r.queue.Add(task{forDatapath, node.Name})
		})
	}
	state, facts, report := r.world.start(pod, read)
	if !report && !markedNotReady(pod) {
		return nil
	}
	if state.running() {
		// Before the others learn of it: what they then send can be received.
		if err := r.applyDatapath(node.Name); err != nil {
			return err
		}
		if err := r.publish(ctx, facts); err != nil {
			return err
		}
		if err := r.openNode(ctx, node); err != nil {
			return err
		}
	}
	status := podStatus(pod, state, facts.ip.String(), r.world.clock(node.Name))
	if err := patchStatus(ctx, r.client.CoreV1().Pods(pod.Namespace).Patch, pod.Name, status); err != nil {
		return err
	}
	r.world.reported(key)
	if state.running() {
		r.lookAgain(node.Name)
	}
	return nil
}

// lookAgain has the pods of a node looked at that waited for its agent.
func (r *runner) lookAgain(node string) {
	keys, err := r.watched.workloads.GetIndexer().IndexKeys(byNode, node)
	if err != nil {
		slog.Warn("pods that wait for the agent were not found", "node", node, "err", err)
	}
	for _, key := range keys {
		r.queue.Add(task{forWorkload, key})
	}
}

// applyDatapath lets a node send and receive as its agent decided. A node without a running agent stays as it is.
func (r *runner) applyDatapath(node string) error {
	on := r.network.node(node)
	if on == nil {
		return nil
	}
	wanted, podCIDR, ok := r.world.datapath(node)
	if !ok {
		return nil
	}
	if err := on.SetPodCIDR(podCIDR); err != nil {
		return err
	}
	return on.Apply(wanted)
}

// settle is how long CiliumNodes may change before the datapaths follow, all changes at once.
const settle = 100 * time.Millisecond

// ciliumNodesChanged lets every agent take notice.
func (r *runner) ciliumNodesChanged() {
	for _, node := range r.network.state().Nodes {
		r.queue.AddAfter(task{forDatapath, node}, settle)
	}
}

// boot lets the machine of a node start, once in this process's life, and publishes its boot id.
func (r *runner) boot(ctx context.Context, node *corev1.Node) error {
	bootID, booted, err := r.world.boot(node)
	if err != nil || !booted {
		return err
	}
	if err := r.network.addNode(node.Name, nodeAddress(node), firstPrefix(node.Spec.PodCIDRs)); err != nil {
		slog.Error("wire: a node is without one", "node", node.Name, "err", err)
	}
	return r.tellBootID(ctx, node.Name, bootID)
}

func (r *runner) tellBootID(ctx context.Context, node, bootID string) error {
	status := map[string]any{"nodeInfo": map[string]any{"bootID": bootID}}
	return patchStatus(ctx, r.client.CoreV1().Nodes().Patch, node, status)
}

// forget lets a machine go, and its CiliumNode with it: the garbage collector notices new kinds of owners late, and until
// then the other agents would keep a peer that is gone.
func (r *runner) forget(ctx context.Context, node string) {
	r.world.remove(node)
	r.network.removeNode(node)
	err := r.dynamic.Resource(ciliumNodes).Delete(ctx, node, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		slog.Warn("a CiliumNode was left to the garbage collector", "node", node, "err", err)
	}
}

// read is what an agent that starts now finds.
func (r *runner) read(pod *corev1.Pod, node *corev1.Node) inputs {
	var read inputs
	if object, ok, _ := r.watched.configs.GetIndexer().GetByKey(pod.Namespace + "/" + configName); ok {
		config := object.(*corev1.ConfigMap)
		read.config = withOverrides(config.Data, r.watched.nodeConfigs(pod.Namespace), node.Labels)
		read.version = config.ResourceVersion
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.Secret == nil || (volume.Secret.Optional != nil && *volume.Secret.Optional) {
			continue
		}
		object, ok, _ := r.watched.secrets.GetIndexer().GetByKey(pod.Namespace + "/" + volume.Secret.SecretName)
		if !ok {
			read.missing = fmt.Sprintf("MountVolume.SetUp failed for volume %q: secret %q not found", volume.Name, volume.Secret.SecretName)
			break
		}
		if secret := object.(*corev1.Secret); volume.Name == keysVolume {
			read.secret = secret.Data
			read.version += " " + secret.ResourceVersion
		}
	}
	read.version += read.missing
	return read
}

// publish writes the CiliumNode; server-side apply also takes off what an earlier mode had put there.
func (r *runner) publish(ctx context.Context, facts ciliumNodeFacts) error {
	_, err := r.dynamic.Resource(ciliumNodes).Apply(ctx, facts.name, ciliumNode(facts),
		metav1.ApplyOptions{FieldManager: "cilium-agent", Force: true})
	return err
}

// openNode lets pods onto the node: its network is there. What is so already is left alone.
func (r *runner) openNode(ctx context.Context, node *corev1.Node) error {
	if !isReady(node) {
		now := metav1.Now()
		conditions := []corev1.NodeCondition{
			{Type: corev1.NodeNetworkUnavailable, Status: corev1.ConditionFalse, Reason: "CiliumIsUp", Message: "Cilium is running on this node"},
			{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "the rehearsal's node is ready"},
		}
		for i := range conditions {
			conditions[i].LastHeartbeatTime, conditions[i].LastTransitionTime = now, now
		}
		if err := patchStatus(ctx, r.client.CoreV1().Nodes().Patch, node.Name, map[string]any{"conditions": conditions}); err != nil {
			return err
		}
	}
	return removeTaint(ctx, r.client, node, notReadyTaint)
}

// removeTaint lets what the taint kept off onto the node. The API server refuses (422) where another has changed the list meanwhile.
func removeTaint(ctx context.Context, client kubernetes.Interface, node *corev1.Node, key string) error {
	i := slices.IndexFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == key })
	if i < 0 {
		return nil
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": fmt.Sprintf("/spec/taints/%d/key", i), "value": key},
		{"op": "remove", "path": fmt.Sprintf("/spec/taints/%d", i)},
	})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node.Name, types.JSONPatchType, patch, metav1.PatchOptions{})
	return err
}

func isReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// patchFunc is the Patch method of a typed client.
type patchFunc[T any] func(ctx context.Context, name string, kind types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (T, error)

// patchStatus merges into an object's status. An object that is gone needs none.
func patchStatus[T any](ctx context.Context, patch patchFunc[T], name string, status any) error {
	data, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = patch(ctx, name, types.StrategicMergePatchType, data, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// withOverrides lays the CiliumNodeConfigs that select the node over cilium-config, as Cilium's init container does.
func withOverrides(config map[string]string, overrides []*unstructured.Unstructured, nodeLabels map[string]string) map[string]string {
	merged := map[string]string{}
	for name, value := range config {
		merged[name] = value
	}
	for _, override := range overrides {
		raw, _, _ := unstructured.NestedMap(override.Object, "spec", "nodeSelector")
		encoded, err := json.Marshal(raw)
		var selector metav1.LabelSelector
		if err != nil || json.Unmarshal(encoded, &selector) != nil || !selects(&selector, nodeLabels) {
			continue
		}
		defaults, _, _ := unstructured.NestedStringMap(override.Object, "spec", "defaults")
		for name, value := range defaults {
			merged[name] = value
		}
	}
	return merged
}

func pkiDir(dir string) string { return filepath.Join(dir, "kwok", "clusters", "k", "pki") }

// keyOf is a pod's key in the queue and the caches: namespace/name.
func keyOf(object any) string {
	key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	return key
}
