package main

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// status is what a kubelet would report of the pod now.
func (s *sandbox) status() corev1.PodStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := metav1.NewTime(s.started)
	status := corev1.PodStatus{
		StartTime: &at,
		HostIP:    s.nodeIP, HostIPs: []corev1.HostIP{{IP: s.nodeIP}},
		PodIP: s.ip.String(), PodIPs: []corev1.PodIP{{IP: s.ip.String()}},
		InitContainerStatuses: statusesOf(s.init), ContainerStatuses: statusesOf(s.main),
	}
	status.Phase = phaseOf(s.pod.Spec.RestartPolicy, status.InitContainerStatuses, status.ContainerStatuses)
	if s.overdue {
		status.Phase, status.Reason = corev1.PodFailed, "DeadlineExceeded"
		status.Message = "Pod was active on the node longer than the specified deadline"
	}
	ready := status.Phase == corev1.PodRunning && !slices.ContainsFunc(status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return !c.Ready })
	reason := ""
	switch {
	case status.Phase == corev1.PodSucceeded:
		reason = "PodCompleted"
	case status.Phase == corev1.PodFailed:
		reason = "PodFailed"
	case !ready:
		reason = "ContainersNotReady"
	}
	initialized := !slices.ContainsFunc(status.InitContainerStatuses, func(c corev1.ContainerStatus) bool { return !c.Ready })
	status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodInitialized, Status: conditionStatus(initialized)},
		{Type: corev1.ContainersReady, Status: conditionStatus(ready), Reason: reason},
		{Type: corev1.PodReady, Status: conditionStatus(ready), Reason: reason},
	}
	return status
}

func statusesOf(containers []*container) []corev1.ContainerStatus {
	statuses := []corev1.ContainerStatus{}
	for _, c := range containers {
		statuses = append(statuses, *c.status.DeepCopy())
	}
	return statuses
}

// phaseOf: Kubernetes' rules (pod-lifecycle). A container that waits to be started again is not at its end.
func phaseOf(policy corev1.RestartPolicy, inits, mains []corev1.ContainerStatus) corev1.PodPhase {
	for _, status := range inits {
		if ended := status.State.Terminated; ended == nil {
			return corev1.PodPending
		} else if ended.ExitCode != 0 {
			return corev1.PodFailed
		}
	}
	failed, over, begun := false, true, false
	for _, status := range mains {
		ended := status.State.Terminated
		over = over && ended != nil
		failed = failed || (ended != nil && ended.ExitCode != 0)
		begun = begun || ended != nil || status.State.Running != nil || status.LastTerminationState.Terminated != nil
	}
	switch {
	case over && policy != corev1.RestartPolicyAlways && failed:
		return corev1.PodFailed
	case over && policy != corev1.RestartPolicyAlways:
		return corev1.PodSucceeded
	case begun:
		return corev1.PodRunning
	}
	return corev1.PodPending
}

// waitingStatus is that of a pod that cannot get its network yet.
func waitingStatus(pod *corev1.Pod, nodeIP, message string) corev1.PodStatus {
	at := seconds(time.Now())
	status := corev1.PodStatus{Phase: corev1.PodPending, StartTime: &at, HostIP: nodeIP, HostIPs: []corev1.HostIP{{IP: nodeIP}}}
	if pod.Status.StartTime != nil {
		status.StartTime = pod.Status.StartTime
	}
	for _, container := range pod.Spec.Containers {
		one := corev1.ContainerStatus{
			Name: container.Name, Image: container.Image,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reasonCreating, Message: message}},
		}
		index := slices.IndexFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.Name == container.Name })
		if index >= 0 {
			before := pod.Status.ContainerStatuses[index]
			one.RestartCount, one.LastTerminationState = before.RestartCount, before.LastTerminationState
			if before.State.Running != nil {
				// It ended with its node, nobody saw how.
				one.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "Unknown"}
			}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, one)
	}
	status.Conditions = []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", Message: message},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", Message: message},
	}
	return status
}

// withStatus is the pod with our status in place of its own. Conditions of others stay, and ours keep the time of their last change.
func withStatus(pod *corev1.Pod, status corev1.PodStatus, now time.Time) *corev1.Pod {
	out := pod.DeepCopy()
	conditions := out.Status.Conditions
	for _, ours := range status.Conditions {
		ours.LastTransitionTime = seconds(now)
		index := slices.IndexFunc(conditions, func(c corev1.PodCondition) bool { return c.Type == ours.Type })
		if index < 0 {
			conditions = append(conditions, ours)
			continue
		}
		if conditions[index].Status == ours.Status {
			ours.LastTransitionTime = conditions[index].LastTransitionTime
		}
		conditions[index] = ours
	}
	qos := out.Status.QOSClass
	out.Status = status
	out.Status.Conditions, out.Status.QOSClass = conditions, qos
	return out
}

// seconds is a time as the API server keeps it, so that what comes back from there is the same.
func seconds(at time.Time) metav1.Time { return metav1.NewTime(at.Truncate(time.Second)) }
