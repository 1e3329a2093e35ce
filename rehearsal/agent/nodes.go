package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// simulatedLabel marks the nodes that are ours to make and to remove. The prover reads it too: a verdict on such nodes says "in rehearsal".
const simulatedLabel = "wirecloak.io/rehearsal"

// controlPlane is both the label and the taint of a control plane's node.
const controlPlane = "node-role.kubernetes.io/control-plane"

// Enough to keep the API server busy on two cores, and no more.
const atOnce = 32

// plannedNode is one line of the plan that the lifecycle program gives on stdin.
type plannedNode struct {
	Name         string `json:"name"`
	IP           string `json:"ip"`
	PodCIDR      string `json:"podCidr"`
	ControlPlane bool   `json:"controlPlane"`
}

type nodePlan struct {
	KubeletPort int32         `json:"kubeletPort"`
	Nodes       []plannedNode `json:"nodes"`
}

// makeNodes lets the cluster have exactly the planned nodes, which register as kubelets do.
func makeNodes(ctx context.Context, client kubernetes.Interface, input io.Reader) error {
	var plan nodePlan
	if err := json.NewDecoder(input).Decode(&plan); err != nil {
		return fmt.Errorf("the plan on stdin: %w", err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	existing, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: simulatedLabel})
	if err != nil {
		return err
	}
	superfluous := map[string]bool{}
	for _, node := range existing.Items {
		superfluous[node.Name] = true
	}
	group, during := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, planned := range plan.Nodes {
		if superfluous[planned.Name] {
			delete(superfluous, planned.Name)
			continue
		}
		group.Go(func() error {
			_, err := client.CoreV1().Nodes().Create(during, newNode(planned, plan.KubeletPort, version.GitVersion), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
	}
	for name := range superfluous {
		group.Go(func() error {
			return removeNode(during, client, name)
		})
	}
	if err := group.Wait(); err != nil || len(plan.Nodes) != 1 {
		return err
	}
	return openControlPlane(ctx, client, plan.Nodes[0].Name)
}

// openControlPlane lets pods onto the only node, as kind does.
func openControlPlane(ctx context.Context, client kubernetes.Interface, name string) error {
	return retry.OnError(retry.DefaultRetry, apierrors.IsInvalid, func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return removeTaint(ctx, client, node, controlPlane)
	})
}

// removeNode takes a machine away with its pods, which Kubernetes itself would keep for a minute. The node goes first, or
// its DaemonSets would bring theirs back.
func removeNode(ctx context.Context, client kubernetes.Interface, name string) error {
	err := client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		err := client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *metav1.NewDeleteOptions(0))
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// newNode has no network yet: like a node of kind without its default CNI it becomes Ready when Cilium runs on it.
func newNode(planned plannedNode, kubeletPort int32, version string) *corev1.Node {
	now := metav1.NewTime(time.Now())
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: planned.Name,
			Labels: map[string]string{
				"kubernetes.io/hostname": planned.Name,
				"kubernetes.io/os":       "linux",
				"kubernetes.io/arch":     "amd64",
				simulatedLabel:           "true",
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: planned.PodCIDR, PodCIDRs: []string{planned.PodCIDR}},
		Status: corev1.NodeStatus{
			Phase: corev1.NodeRunning,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: planned.IP},
				{Type: corev1.NodeHostName, Address: planned.Name},
				// Where the API server finds this node's kubelet: this process.
				{Type: corev1.NodeInternalDNS, Address: "localhost"},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: kubeletPort}},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", OSImage: "Wirecloak rehearsal", KernelVersion: kernelVersion(),
				ContainerRuntimeVersion: "rehearsal://0", KubeletVersion: version,
			},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastHeartbeatTime: now, LastTransitionTime: now,
				Reason: "KubeletNotReady", Message: "container runtime network not ready: cni plugin not initialized",
			}},
		},
	}
	for _, kind := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
			Type: kind, Status: corev1.ConditionFalse, LastHeartbeatTime: now, LastTransitionTime: now, Reason: "KubeletHasSufficient",
		})
	}
	node.Status.Capacity = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"),
		corev1.ResourcePods: resource.MustParse("110"), corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}
	node.Status.Allocatable = node.Status.Capacity
	if planned.ControlPlane {
		node.Labels[controlPlane] = ""
		node.Spec.Taints = []corev1.Taint{{Key: controlPlane, Effect: corev1.TaintEffectNoSchedule}}
	}
	return node
}

func kernelVersion() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(release))
}
