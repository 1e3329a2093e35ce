package main

import (
	"testing"
)

func TestARebootGivesTheMachineAnotherKey(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	_, before, _ := w.start(pod, inputs{config: wireguardConfig, version: "1"})
	told, bootID, err := w.shutDown("n1")
	if err != nil || told != "kube-system/cilium-a" || bootID == before.bootID {
		t.Fatal(told, bootID, err)
	}
	if state, _, report := w.start(pod, inputs{config: wireguardConfig, version: "1"}); state.running() || report {
		t.Error("an agent runs on a machine that does not")
	}
	if _, ok := w.placeFor("n1"); ok {
		t.Error("a pod finds a place on a machine that does not run")
	}
	if _, _, err := w.shutDown("n1"); err == nil {
		t.Error("a machine that does not run goes down again")
	}
	w.bootAgain("n1")
	state, after, report := w.start(pod, inputs{config: wireguardConfig, version: "1"})
	if !state.running() || !report || after.publicKey == before.publicKey || after.bootID != bootID {
		t.Errorf("%+v %+v", state, after)
	}
}

func TestAnAgentThatCrashesStartsAgainAndReadsItsConfiguration(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	w.start(pod, inputs{config: wireguardConfig, version: "1"})
	w.reported("kube-system/cilium-a")
	told, ok := w.crash("n1")
	if !ok || told != "kube-system/cilium-a" {
		t.Fatal(told, ok)
	}
	if _, ok := w.crash("n1"); ok {
		t.Error("it crashes while it does not run")
	}
	same := inputs{config: wireguardConfig, version: "1"}
	if state, _, report := w.start(pod, same); state.running() || !report {
		t.Error("the crash is not reported")
	}
	w.mayStart(told)
	state, facts, _ := w.start(pod, inputs{config: map[string]string{}, version: "2"})
	if !state.running() || state.restarts != 1 || facts.key != 0 {
		t.Errorf("%+v %+v", state, facts)
	}
}
