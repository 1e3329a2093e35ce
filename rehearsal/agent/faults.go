package main

import (
	"fmt"
	"slices"
	"time"

	"wirecloak/rehearsal/agent/wire"
)

// agentDownMessage is what the pod's status says of an agent that was ended on order.
const agentDownMessage = "the agent is not running: fault " + string(wire.AgentDown) + " is ordered"

// everyNode, as a fault's node, is for blind alone: all nodes, and the place outside them.
const everyNode = "*"

// ofAgent are the faults that the agent plays; all others are the wire's.
var ofAgent = []wire.FaultKind{wire.CountersFrozen, wire.AgentDown, wire.OldConfig, wire.Blind, wire.ClockJump}

var ofWire = []wire.FaultKind{
	wire.Leak, wire.LeakBeside, wire.StaleKey, wire.PeerMissing, wire.HandshakeDead, wire.WrongSPI, wire.ReplayESP,
	wire.CorruptESP, wire.StrictOff, wire.Partition, wire.Loss,
}

// checkFault tells what is wrong with an order, for the person who gave it.
func checkFault(fault wire.Fault, exists func(node string) bool) error {
	mine := slices.Contains(ofAgent, fault.Kind)
	everywhere := fault.Kind == wire.Blind && (fault.Node == everyNode || fault.Node == "")
	switch {
	case !mine && !slices.Contains(ofWire, fault.Kind):
		return fmt.Errorf("%q is no kind of fault; there are: %v", fault.Kind, slices.Concat(ofWire, ofAgent))
	case !everywhere && !exists(fault.Node):
		return fmt.Errorf("%s: there is no node %q", fault.Kind, fault.Node)
	case fault.Peer != "" && (mine || fault.Kind == wire.StrictOff):
		return fmt.Errorf("%s is of a whole node and takes no peer", fault.Kind)
	case fault.Peer != "" && (!exists(fault.Peer) || fault.Peer == fault.Node):
		return fmt.Errorf("%s: %q is no other node", fault.Kind, fault.Peer)
	case fault.Kind == wire.Loss && (fault.Percent < 1 || fault.Percent > 100):
		return fmt.Errorf("%s takes a percentage from 1 to 100, not %d", fault.Kind, fault.Percent)
	case fault.Kind != wire.Loss && fault.Percent != 0:
		return fmt.Errorf("%s takes no percentage", fault.Kind)
	case (fault.Kind == wire.ClockJump) != (fault.Seconds != 0):
		return fmt.Errorf("%s with %d seconds: %s takes some, all others none", fault.Kind, fault.Seconds, wire.ClockJump)
	}
	return nil
}

// agentFaults are those of the agent on one node.
func agentFaults(ordered []wire.Fault, node string) map[wire.FaultKind]bool {
	faults := map[wire.FaultKind]bool{}
	for _, fault := range ordered {
		if slices.Contains(ofAgent, fault.Kind) && (fault.Node == node || fault.Node == everyNode) {
			faults[fault.Kind] = true
		}
	}
	return faults
}

// wireFaults are those that the wire plays.
func wireFaults(ordered []wire.Fault) []wire.Fault {
	return slices.DeleteFunc(slices.Clone(ordered), func(fault wire.Fault) bool { return slices.Contains(ofAgent, fault.Kind) })
}

// clockOf is how far a node's clock is off.
func clockOf(ordered []wire.Fault, node string) time.Duration {
	for _, fault := range ordered {
		if fault.Kind == wire.ClockJump && fault.Node == node {
			return time.Duration(fault.Seconds) * time.Second
		}
	}
	return 0
}

// clock is the time on a node.
func (w *world) clock(node string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(clockOf(w.faults, node))
}

// setFaults replaces the orders, and tells which agents' pods have something new to report, and the boot ids of machines that
// booted for it.
func (w *world) setFaults(ordered []wire.Fault) (pods []string, booted map[string]string) {
	frozen := w.statesToFreeze(ordered)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults, booted = ordered, map[string]string{}
	for _, m := range w.machines {
		before := m.faults
		m.faults = agentFaults(ordered, m.name)
		switch {
		case !m.faults[wire.CountersFrozen]:
			m.frozen = nil
		case m.frozen == nil:
			m.frozen = frozen[m.name]
		}
		if m.agent == nil || (before[wire.AgentDown] == m.faults[wire.AgentDown] && before[wire.OldConfig] == m.faults[wire.OldConfig]) {
			continue
		}
		switch {
		case m.faults[wire.AgentDown] && m.agent.state.running():
			m.agent.state.waiting, m.agent.state.message = reasonCrashLoop, agentDownMessage
			m.agent.logf("level=fatal msg=%q", agentDownMessage)
		case before[wire.AgentDown] && !m.faults[wire.AgentDown]:
			// No inputs have this version, so the next look starts the agent.
			m.agent.inputs = ""
		}
		if before[wire.OldConfig] && !m.faults[wire.OldConfig] {
			// Its numbers begin again, and with the keys of before the others would take its packets for replays.
			m.bootID = newBootID()
			booted[m.name] = m.bootID
		}
		m.agent.isReported = false
		pods = append(pods, m.agent.pod)
	}
	return pods, booted
}

// statesToFreeze are the answers of the agents that will lie, as they are now.
func (w *world) statesToFreeze(ordered []wire.Fault) map[string]*frozenState {
	states := map[string]*frozenState{}
	for node, pod := range w.agentPods() {
		if !agentFaults(ordered, node)[wire.CountersFrozen] {
			continue
		}
		if state, ok := w.stateOf(pod); ok {
			states[node] = &frozenState{state: state, since: time.Now()}
		}
	}
	return states
}

// agentPods are the agents' pods by their node.
func (w *world) agentPods() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	pods := map[string]string{}
	for name, m := range w.machines {
		if m.agent != nil {
			pods[name] = m.agent.pod
		}
	}
	return pods
}

func (w *world) isBlind(node string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return isBlind(w.faults, node)
}

// nodeOf is the node of an agent's pod.
func (w *world) nodeOf(pod string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.byPod[pod]; ok {
		return m.name
	}
	return ""
}

// isBlind tells whether captures on that node see nothing; everyNode asks for the place outside the nodes.
func isBlind(ordered []wire.Fault, node string) bool {
	return slices.ContainsFunc(ordered, func(fault wire.Fault) bool {
		return fault.Kind == wire.Blind && (fault.Node == node || fault.Node == everyNode || (fault.Node == "" && node == everyNode))
	})
}
