package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// restartDelay is what a kubelet takes to start a container again that ended for the first time.
const restartDelay = time.Second

// crash kills a node's agent, which is started again. Packets travel as before meanwhile.
func (r *runner) crash(_ context.Context, node string) error {
	pod, ok := r.world.crash(node)
	if !ok {
		return fmt.Errorf("there is no node %q with an agent that runs", node)
	}
	slog.Info("an agent is killed", "node", node)
	r.queue.Add(task{forAgent, pod})
	time.AfterFunc(restartDelay, func() {
		r.world.mayStart(pod)
		r.queue.Add(task{forAgent, pod})
	})
	return nil
}

// crash takes a running agent down, and tells its pod.
func (w *world) crash(node string) (pod string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[node]
	if !ok || m.agent == nil || !m.agent.state.running() {
		return "", false
	}
	m.agent.state.waiting, m.agent.state.message = reasonCrashLoop, "the agent was killed on order"
	m.agent.isReported = false
	return m.agent.pod, true
}

// mayStart lets an agent start again that is down: no inputs have this version.
func (w *world) mayStart(pod string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.byPod[pod]; ok && !m.agent.state.running() {
		m.agent.inputs = ""
	}
}
