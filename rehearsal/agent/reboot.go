package main

import (
	"context"
	"fmt"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
)

// reboot ends everything on a machine at once and boots it again: with a boot id and a WireGuard key of its own making, which the old
// one's memory held, an agent that starts anew, and pods in new places.
func (r *runner) reboot(ctx context.Context, name string) error {
	object, exists, err := r.watched.nodes.GetIndexer().GetByKey(name)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("there is no node %q", name)
	}
	pods, err := r.watched.workloads.GetIndexer().IndexKeys(byNode, name)
	if err != nil {
		return err
	}
	agent, bootID, err := r.world.shutDown(name)
	if err != nil {
		return err
	}
	slog.Info("a node is rebooted", "node", name)
	for _, pod := range pods {
		r.workloads.remove(pod)
	}
	node := object.(*corev1.Node)
	if err := r.network.addNode(name, nodeAddress(node), firstPrefix(node.Spec.PodCIDRs)); err != nil {
		slog.Error("wire: a node is without one", "node", name, "err", err)
	}
	r.world.bootAgain(name)
	if agent != "" {
		r.queue.Add(task{forAgent, agent})
	}
	r.lookAgain(name)
	return r.tellBootID(ctx, name, bootID)
}

// shutDown ends a machine's agent, whose pod it tells, and gives the machine what a boot gives it. Nothing starts on it before
// bootAgain, or it would start in the network of before.
func (w *world) shutDown(node string) (agent, bootID string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[node]
	if !ok || m.isDown {
		return "", "", fmt.Errorf("there is no node %q that runs", node)
	}
	if err := m.newKey(); err != nil {
		return "", "", err
	}
	m.isDown, m.bootID, m.frozen = true, newBootID(), nil
	if m.agent != nil {
		agent = m.agent.pod
		delete(w.byPod, agent)
		m.agent = nil
	}
	return agent, m.bootID, nil
}

func (w *world) bootAgain(node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.machines[node]; ok {
		m.isDown = false
	}
}
