package main

import (
	"encoding/base64"
	"net/netip"

	"wirecloak/rehearsal/agent/wire"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// datapathOf is what a node's agent makes of its configuration, its keys and the CiliumNodes.
func datapathOf(m *machine, nodes []*unstructured.Unstructured) wire.Datapath {
	a := m.agent
	config := a.config
	if m.faults[wire.OldConfig] {
		config = withoutEncryption(config)
	}
	datapath := wire.Datapath{
		Tunnel: config.tunnel, PerPeer: minorOf(a.version) >= 18, PodRange: config.podRange,
		PrivateKey: m.privateKey, BootID: m.bootID, Peers: wirePeers(m.name, nodes),
	}
	if config.mode != modeDisabled {
		// Without encryption, the check is not compiled in.
		datapath.Strict = wire.Strict{Egress: config.strictEgress, Ingress: config.strictIngress && config.mode == modeWireguard}
	}
	switch config.mode {
	case modeWireguard:
		datapath.Encryption = wire.Wireguard
		datapath.EncryptNodes = config.encryptNode && !config.optsOut(m.labels)
	case modeIPsec:
		datapath.Encryption = wire.IPsec
		datapath.ESPInVXLAN = config.tunnel && minorOf(a.version) < 18
		for _, key := range a.keys {
			datapath.Keys = append(datapath.Keys, wire.IPsecKey{SPI: uint32(key.spi), Material: key.material})
		}
	}
	return datapath
}

// datapath is what a node's agent wants now, and the CIDR of its pods; false where none runs.
func (w *world) datapath(node string) (wire.Datapath, netip.Prefix, bool) {
	nodes := w.ciliumNodes()
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[node]
	if !ok || m.agent == nil || !m.agent.state.running() {
		return wire.Datapath{}, netip.Prefix{}, false
	}
	return datapathOf(m, nodes), m.podCIDR, true
}

// withoutEncryption is what an agent runs on that has not read the configuration since encryption was switched on.
func withoutEncryption(config agentConfig) agentConfig {
	config.mode, config.encryptNode = modeDisabled, false
	return config
}

// wirePeers are the other nodes, as their CiliumNodes tell.
func wirePeers(self string, nodes []*unstructured.Unstructured) []wire.Peer {
	peers := make([]wire.Peer, 0, len(nodes))
	for _, node := range nodes {
		ip, ok := internalIP(node)
		if node.GetName() == self || !ok {
			continue
		}
		peer := wire.Peer{Name: node.GetName(), IP: ip}
		cidrs, _, _ := unstructured.NestedStringSlice(node.Object, "spec", "ipam", "podCIDRs")
		for _, cidr := range cidrs {
			if prefix, err := netip.ParsePrefix(cidr); err == nil {
				peer.PodCIDRs = append(peer.PodCIDRs, prefix)
			}
		}
		if key, err := base64.StdEncoding.DecodeString(node.GetAnnotations()[pubKeyAnnotation]); err == nil && len(key) == len(peer.PublicKey) {
			peer.PublicKey = [32]byte(key)
		}
		key, _, _ := unstructured.NestedInt64(node.Object, "spec", "encryption", "key")
		peer.SPI = uint32(key)
		// A node that opts out of node encryption publishes its WireGuard key, and 0 here.
		peer.EncryptsNodes = key == wireguardKeyIndex
		peer.BootID, _, _ = unstructured.NestedString(node.Object, "spec", "bootid")
		peers = append(peers, peer)
	}
	return peers
}

func internalIP(node *unstructured.Unstructured) (netip.Addr, bool) {
	addresses, _, _ := unstructured.NestedSlice(node.Object, "spec", "addresses")
	for _, address := range addresses {
		if fields, ok := address.(map[string]any); ok && fields["type"] == "InternalIP" {
			text, _ := fields["ip"].(string)
			ip, err := netip.ParseAddr(text)
			return ip, err == nil
		}
	}
	return netip.Addr{}, false
}
