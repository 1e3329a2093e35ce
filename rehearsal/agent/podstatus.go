package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podState is what has become of a pod: what a kubelet would report.
type podState struct {
	// waiting is empty for a running pod; else the containers' reason, such as ContainerCreating or CrashLoopBackOff.
	waiting string
	message string
	// restarts counts the containers' starts after the first.
	restarts int32
}

func (s podState) running() bool { return s.waiting == "" }

// podStatus is the whole status of an agent's pod. The pods use the host's network, so their address is the node's.
func podStatus(pod *corev1.Pod, state podState, nodeIP string, now time.Time) corev1.PodStatus {
	at := metav1.NewTime(now)
	status := corev1.PodStatus{
		Phase:                 corev1.PodPending,
		StartTime:             pod.Status.StartTime,
		HostIP:                nodeIP,
		HostIPs:               []corev1.HostIP{{IP: nodeIP}},
		PodIP:                 nodeIP,
		PodIPs:                []corev1.PodIP{{IP: nodeIP}},
		InitContainerStatuses: []corev1.ContainerStatus{},
		ContainerStatuses:     []corev1.ContainerStatus{},
	}
	if status.StartTime == nil {
		status.StartTime = &at
	}
	created := state.waiting != reasonCreating
	if created {
		status.Phase = corev1.PodRunning
	}
	for _, container := range pod.Spec.InitContainers {
		one := corev1.ContainerStatus{Name: container.Name, Image: container.Image, Ready: created}
		if created {
			one.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: at, FinishedAt: at}
		} else {
			one.State.Waiting = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, one)
	}
	for _, container := range pod.Spec.Containers {
		one := corev1.ContainerStatus{Name: container.Name, Image: container.Image, Ready: state.running(), RestartCount: state.restarts}
		started := state.running()
		one.Started = &started
		switch {
		case state.running():
			one.ContainerID = fmt.Sprintf("rehearsal://%s/%s/%d", pod.UID, container.Name, state.restarts)
			one.State.Running = &corev1.ContainerStateRunning{StartedAt: startOf(pod, one.ContainerID, at)}
		case created:
			one.State.Waiting = &corev1.ContainerStateWaiting{Reason: state.waiting, Message: state.message}
			one.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error", Message: state.message, StartedAt: at, FinishedAt: at,
			}
		default:
			one.State.Waiting = &corev1.ContainerStateWaiting{Reason: state.waiting, Message: state.message}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, one)
	}
	for _, condition := range []corev1.PodCondition{
		{Type: corev1.PodInitialized, Status: conditionStatus(created)},
		{Type: corev1.ContainersReady, Status: conditionStatus(state.running())},
		{Type: corev1.PodReady, Status: conditionStatus(state.running())},
	} {
		condition.LastTransitionTime = at
		if condition.Status == corev1.ConditionFalse {
			condition.Reason, condition.Message = "ContainersNotReady", state.message
		}
		status.Conditions = append(status.Conditions, condition)
	}
	return status
}

// markedNotReady says that somebody else took the pod for not ready: the node controller does so with the pods of a node that
// becomes Ready just then. A kubelet would report the pod again.
func markedNotReady(pod *corev1.Pod) bool {
	status := map[corev1.PodConditionType]corev1.ConditionStatus{}
	for _, condition := range pod.Status.Conditions {
		status[condition.Type] = condition.Status
	}
	return status[corev1.ContainersReady] == corev1.ConditionTrue && status[corev1.PodReady] == corev1.ConditionFalse
}

func conditionStatus(ok bool) corev1.ConditionStatus {
	if ok {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// startOf is when a container started that runs: an agent that loads another key does not start anew.
func startOf(pod *corev1.Pod, containerID string, now metav1.Time) metav1.Time {
	for _, known := range pod.Status.ContainerStatuses {
		if known.ContainerID == containerID && known.State.Running != nil {
			return known.State.Running.StartedAt
		}
	}
	return now
}
