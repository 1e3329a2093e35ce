package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// workloads are the pods that this program plays whole: all outside kube-system that are not Cilium's own.
type workloads struct {
	mu   sync.Mutex
	pods map[string]*sandbox
}

func (w *workloads) get(key string) *sandbox {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pods[key]
}

func (w *workloads) put(key string, s *sandbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pods[key] = s
}

// remove ends a pod and forgets it.
func (w *workloads) remove(key string) {
	w.mu.Lock()
	s := w.pods[key]
	delete(w.pods, key)
	w.mu.Unlock()
	if s != nil {
		s.finish()
	}
}

// endAll is for the end of this process: no process of a pod's may outlive it.
func (w *workloads) endAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.pods {
		s.end()
	}
	for _, s := range w.pods {
		s.finish()
	}
}

// reconcileWorkload brings one such pod to what the API server wants, and reports what has become of it.
func (r *runner) reconcileWorkload(ctx context.Context, key string) error {
	object, exists, err := r.watched.workloads.GetIndexer().GetByKey(key)
	if err != nil {
		return err
	}
	if !exists {
		r.workloads.remove(key)
		return nil
	}
	pod := object.(*corev1.Pod)
	running := r.workloads.get(key)
	if running != nil && running.pod.UID != pod.UID {
		r.workloads.remove(key)
		running = nil
	}
	nodeObject, exists, err := r.watched.nodes.GetIndexer().GetByKey(pod.Spec.NodeName)
	switch {
	case err != nil:
		return err
	case pod.DeletionTimestamp != nil:
		r.workloads.remove(key)
		return r.deleteNow(ctx, pod)
	// Not on a node of ours.
	case !exists:
		r.workloads.remove(key)
		return nil
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		if running != nil {
			running.finish()
		}
		return nil
	}
	node := nodeObject.(*corev1.Node)
	if err := r.boot(ctx, node); err != nil {
		return err
	}
	if running == nil {
		admitted, message := r.admit(pod)
		if admitted == nil {
			return r.report(ctx, pod, waitingStatus(pod, nodeAddress(node).String(), message))
		}
		running = admitted
		running.changed = func() { r.queue.Add(task{forWorkload, key}) }
		r.workloads.put(key, running)
		running.run()
	}
	return r.report(ctx, pod, running.status())
}

// admit gives a pod its place in the network, as the CNI plugin does: no agent, no network, unless the pod takes the node's.
func (r *runner) admit(pod *corev1.Pod) (admitted *sandbox, message string) {
	place, ok := r.world.placeFor(pod.Spec.NodeName)
	if !ok {
		return nil, "the node does not run"
	}
	if pod.Spec.HostNetwork {
		var where *wire.Namespace
		if node := r.network.node(pod.Spec.NodeName); node != nil {
			where = node.Namespace()
		}
		return newSandbox(pod, place.nodeIP, place.nodeIP.String(), where), ""
	}
	if !place.open {
		return nil, "network plugin is not ready: no Cilium agent runs on this node"
	}
	key := keyOf(pod)
	ip, where, err := r.network.addPod(pod.Spec.NodeName, key, place.podCIDR)
	if err != nil {
		return nil, err.Error()
	}
	s := newSandbox(pod, ip, place.nodeIP.String(), where)
	s.leave = func() { r.network.removePod(pod.Spec.NodeName, key, ip) }
	return s, ""
}

// place is what a machine offers to a new pod.
type place struct {
	nodeIP  netip.Addr
	podCIDR netip.Prefix
	// open: an agent runs, which connects new pods.
	open bool
}

func (w *world) placeFor(node string) (place, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[node]
	if !ok || m.isDown {
		return place{}, false
	}
	return place{nodeIP: m.ip, podCIDR: m.podCIDR, open: m.agent != nil && m.agent.state.running()}, true
}

// report writes a pod's status unless the API server has it already.
func (r *runner) report(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	told := withStatus(pod, status, time.Now())
	if equality.Semantic.DeepEqual(told.Status, pod.Status) {
		return nil
	}
	_, err := r.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, told, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		// What changed meanwhile arrives by the watch, and the pod is looked at again.
		return nil
	}
	return err
}

// deleteNow takes a pod off the API server: nothing of it runs any more.
func (r *runner) deleteNow(ctx context.Context, pod *corev1.Pod) error {
	options := metav1.NewDeleteOptions(0)
	options.Preconditions = &metav1.Preconditions{UID: &pod.UID}
	err := r.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *options)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("the pod cannot be taken off the API server: %w", err)
	}
	return nil
}
