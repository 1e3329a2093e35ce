package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	corev1 "k8s.io/api/core/v1"
)

// rebootOrder is the body of POST /reboot.
type rebootOrder struct {
	Node string `json:"node"`
}

func (r *runner) serveReboot(response http.ResponseWriter, request *http.Request) {
	var order rebootOrder
	if err := json.NewDecoder(request.Body).Decode(&order); err != nil {
		http.Error(response, "the body names no node: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := r.reboot(request.Context(), order.Node); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	answer(response, order)
}

// reboot ends everything on a machine at once and boots it again: with a boot id and a WireGuard key of its own making, which the old
// one's memory held, an agent that starts anew, and pods in new places.
func (r *runner) reboot(ctx context.Context, name string) error {
	object, exists, err := r.watched.nodes.GetIndexer().GetByKey(name)
	if err != nil {
		return err
	}
	if !exists || !r.world.exists(name) {
		return fmt.Errorf("there is no node %q that runs", name)
	}
	pods, err := r.watched.workloads.GetIndexer().IndexKeys(byNode, name)
	if err != nil {
		return err
	}
	agent := r.world.agentPods()[name]
	slog.Info("a node is rebooted", "node", name)
	r.world.remove(name)
	r.network.removeNode(name)
	for _, pod := range pods {
		r.workloads.remove(pod)
	}
	if err := r.boot(ctx, object.(*corev1.Node)); err != nil {
		return err
	}
	if agent != "" {
		r.queue.Add(task{forAgent, agent})
	}
	for _, pod := range pods {
		r.queue.Add(task{forWorkload, pod})
	}
	return nil
}
