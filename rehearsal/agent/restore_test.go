package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyPodsThatRunAndAreMarkedNotReadyAreReportedAgain(t *testing.T) {
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		marked := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionFalse},
		}}}
		change(marked)
		return marked
	}
	now := metav1.Now()
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"marked by somebody else":      {func(*corev1.Pod) {}, true},
		"ready":                        {func(p *corev1.Pod) { p.Status.Conditions[1].Status = corev1.ConditionTrue }, false},
		"with a container that is not": {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, false},
		"not running":                  {func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }, false},
		"on its way out":               {func(p *corev1.Pod) { p.DeletionTimestamp = &now }, false},
	} {
		if got := isRestorable(pod(test.change)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
