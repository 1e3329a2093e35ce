package main

import (
	"context"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// kwoksPatience is how long kwok has to report one of its pods again.
const kwoksPatience = 2 * time.Second

// restore reports kwok's pods again that stay marked not ready on a node that is ready. kwok does so itself, but was seen to
// miss one, and then Helm waits for that pod until its time limit.
func (r *runner) restore(ctx context.Context) {
	look := func(object any) {
		pod, ok := object.(*corev1.Pod)
		if !ok || !isRestorable(pod) {
			return
		}
		time.AfterFunc(kwoksPatience, func() { r.restoreOne(ctx, pod.Namespace+"/"+pod.Name) })
	}
	_, _ = r.watched.kwoks.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: look, UpdateFunc: func(_, now any) { look(now) }})
}

func (r *runner) restoreOne(ctx context.Context, key string) {
	object, exists, err := r.watched.kwoks.GetIndexer().GetByKey(key)
	if err != nil || !exists || ctx.Err() != nil {
		return
	}
	pod := object.(*corev1.Pod)
	if !isRestorable(pod) {
		return
	}
	node, exists, err := r.watched.nodes.GetIndexer().GetByKey(pod.Spec.NodeName)
	if err == nil && exists && isReady(node.(*corev1.Node)) {
		ready := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
		status := map[string]any{"conditions": []corev1.PodCondition{ready}}
		if err = patchStatus(ctx, r.client.CoreV1().Pods(pod.Namespace).Patch, pod.Name, status); err == nil {
			slog.Info("reported a pod as ready again, which kwok had not", "pod", key)
			return
		}
	}
	// Its node is not ready yet, or the API server refused: there may be no other event.
	time.AfterFunc(kwoksPatience, func() { r.restoreOne(ctx, key) })
}

func isRestorable(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning && markedNotReady(pod)
}
