package main

import (
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	ciliumNodes       = schema.GroupVersionResource{Group: "cilium.io", Version: "v2", Resource: "ciliumnodes"}
	ciliumNodeConfigs = schema.GroupVersionResource{Group: "cilium.io", Version: "v2", Resource: "ciliumnodeconfigs"}
	crdResource       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

const pubKeyAnnotation = "network.cilium.io/wg-pub-key"

// Value of spec.encryption.key for a node that encrypts with WireGuard (pkg/wireguard/types).
const wireguardKeyIndex = 255

// customResources are the definitions that Cilium's operator registers, those that this project looks at. Cilium validates
// their contents; here nobody but the agent writes them.
func customResources() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		customResource("ciliumnodes", "CiliumNode", "Cluster", "cn", "ciliumn"),
		customResource("ciliumendpoints", "CiliumEndpoint", "Namespaced", "cep", "ciliumep"),
		customResource("ciliumnodeconfigs", "CiliumNodeConfig", "Namespaced"),
	}
}

func customResource(plural, kind, scope string, shortNames ...any) *unstructured.Unstructured {
	anything := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata": map[string]any{
			"name":        plural + ".cilium.io",
			"annotations": map[string]any{"wirecloak.io/rehearsal": "stand-in for Cilium's definition: accepts any contents"},
		},
		"spec": map[string]any{
			"group": "cilium.io",
			"scope": scope,
			"names": map[string]any{"plural": plural, "singular": strings.ToLower(kind), "kind": kind, "listKind": kind + "List", "shortNames": shortNames},
			"versions": []any{map[string]any{
				"name": "v2", "served": true, "storage": true,
				"schema":       map[string]any{"openAPIV3Schema": anything},
				"subresources": map[string]any{"status": map[string]any{}},
			}},
		},
	}}
}

// ciliumNodeFacts is what an agent publishes of its node.
type ciliumNodeFacts struct {
	name, uid, bootID string
	ip                netip.Addr
	podCIDRs          []string
	// publicKey is empty unless the node encrypts with WireGuard.
	publicKey string
	key       int
}

func ciliumNode(facts ciliumNodeFacts) *unstructured.Unstructured {
	annotations := map[string]any{}
	if facts.publicKey != "" {
		annotations[pubKeyAnnotation] = facts.publicKey
	}
	podCIDRs := make([]any, 0, len(facts.podCIDRs))
	for _, cidr := range facts.podCIDRs {
		podCIDRs = append(podCIDRs, cidr)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cilium.io/v2",
		"kind":       "CiliumNode",
		"metadata": map[string]any{
			"name":        facts.name,
			"annotations": annotations,
			"labels":      map[string]any{"kubernetes.io/hostname": facts.name},
			// The garbage collector removes it with the node, as it does with Cilium's.
			"ownerReferences": []any{map[string]any{"apiVersion": "v1", "kind": "Node", "name": facts.name, "uid": facts.uid}},
		},
		"spec": map[string]any{
			"addresses":  []any{map[string]any{"type": "InternalIP", "ip": facts.ip.String()}},
			"bootid":     facts.bootID,
			"encryption": map[string]any{"key": int64(facts.key)},
			"ipam":       map[string]any{"podCIDRs": podCIDRs},
		},
	}}
}

// encryptionKey is spec.encryption.key: what other nodes use to send to this one.
func encryptionKey(config agentConfig, optedOut bool, spi int) int {
	switch config.mode {
	case modeIPsec:
		return spi
	case modeWireguard:
		if optedOut {
			return 0
		}
		return wireguardKeyIndex
	}
	return 0
}

// peersOf reads from the CiliumNodes whom a node would talk to over WireGuard: all the others that publish a key.
func peersOf(self string, nodes []*unstructured.Unstructured) []peer {
	peers := make([]peer, 0, len(nodes))
	for _, node := range nodes {
		key := node.GetAnnotations()[pubKeyAnnotation]
		if node.GetName() == self || key == "" {
			continue
		}
		found := peer{PublicKey: key, AllowedIPs: []string{}, LastHandshakeTime: never}
		addresses, _, _ := unstructured.NestedSlice(node.Object, "spec", "addresses")
		for _, address := range addresses {
			if fields, ok := address.(map[string]any); ok && fields["type"] == "InternalIP" {
				found.Endpoint = fmt.Sprintf("%v:%d", fields["ip"], wireguardPort)
				found.AllowedIPs = append(found.AllowedIPs, fmt.Sprintf("%v/32", fields["ip"]))
			}
		}
		cidrs, _, _ := unstructured.NestedStringSlice(node.Object, "spec", "ipam", "podCIDRs")
		found.AllowedIPs = append(found.AllowedIPs, cidrs...)
		peers = append(peers, found)
	}
	return peers
}
