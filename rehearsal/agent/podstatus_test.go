package main

import (
	"testing"
	"time"
)

func TestAnAgentThatLoadsAnotherKeyHasNotStartedAnew(t *testing.T) {
	pod := agentPod("cilium-a", "n1")
	begun := time.Unix(1_700_000_000, 0)
	startAfter := func(state podState, after time.Duration) time.Time {
		pod.Status = podStatus(pod, state, "172.30.0.2", begun.Add(after))
		return pod.Status.ContainerStatuses[0].State.Running.StartedAt.Time
	}
	if at := startAfter(podState{}, 0); !at.Equal(begun) {
		t.Error(at)
	}
	if at := startAfter(podState{}, time.Minute); !at.Equal(begun) {
		t.Errorf("it still runs, and is said to have started at %s", at)
	}
	if at := startAfter(podState{restarts: 1}, time.Hour); !at.Equal(begun.Add(time.Hour)) {
		t.Errorf("it has restarted, and is said to have started at %s", at)
	}
}
