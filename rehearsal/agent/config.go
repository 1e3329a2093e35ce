package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

type encryptionMode string

// As Cilium's models.EncryptionStatus spells them.
const (
	modeDisabled  encryptionMode = "Disabled"
	modeIPsec     encryptionMode = "IPsec"
	modeWireguard encryptionMode = "Wireguard"
)

// agentConfig is what an agent takes from cilium-config when it starts, and only then.
type agentConfig struct {
	mode         encryptionMode
	tunnel       bool
	encryptNode  bool
	optOutLabels string
	keyFile      string
	keyWatcher   bool
	keyRotation  time.Duration
	clusterPool  string
	poolMaskBits int
	// podRange is where all pods of the cluster are, as far as the configuration tells; not valid: it does not.
	podRange netip.Prefix
	// strictEgress is the range within which nothing leaves in clear; not valid: off.
	strictEgress  netip.Prefix
	strictIngress bool
}

// machineFacts is what the decision needs to know of the node.
type machineFacts struct {
	ip     netip.Addr
	bootID string
}

// minor is a Cilium version's second number (1.20.2: 20).
func parseConfig(data map[string]string, minor int, on machineFacts) (agentConfig, error) {
	config := agentConfig{
		mode:          modeDisabled,
		tunnel:        data["routing-mode"] != "native",
		encryptNode:   isTrue(data["encrypt-node"]),
		optOutLabels:  "node-role.kubernetes.io/control-plane",
		keyFile:       data["ipsec-key-file"],
		keyWatcher:    data["enable-ipsec-key-watcher"] != "false",
		keyRotation:   5 * time.Minute,
		strictIngress: isTrue(data["enable-encryption-strict-mode-ingress"]),
	}
	if value, ok := data["node-encryption-opt-out-labels"]; ok {
		config.optOutLabels = value
	}
	if value := data["ipsec-key-rotation-duration"]; value != "" {
		duration, err := time.ParseDuration(value)
		if err != nil {
			return config, fmt.Errorf("ipsec-key-rotation-duration is no duration")
		}
		config.keyRotation = duration
	}
	if strings.HasPrefix(data["ipam"], "cluster-pool") {
		config.clusterPool = strings.Fields(data["cluster-pool-ipv4-cidr"] + " ")[0]
		config.poolMaskBits = 24
		if bits, err := strconv.Atoi(data["cluster-pool-ipv4-mask-size"]); err == nil {
			config.poolMaskBits = bits
		}
	}
	wireguard, ipsec := isTrue(data["enable-wireguard"]), isTrue(data["enable-ipsec"])
	if wireguard {
		config.mode = modeWireguard
	}
	if ipsec {
		config.mode = modeIPsec
	}
	if wireguard && ipsec {
		return config, fmt.Errorf("WireGuard (enable-wireguard) cannot be used with IPsec (enable-ipsec)")
	}
	if ipsec {
		if err := checkIPsec(data, config, on); err != nil {
			return config, err
		}
	}
	// The check is compiled in for WireGuard alone before 1.19 (cilium/cilium#42115).
	strictApplies := wireguard || (ipsec && minor >= 19)
	if cidr, allowRemote, enabled := strictEgress(data); enabled && strictApplies {
		prefix, err := checkStrictEgress(cidr, allowRemote, on.ip)
		if err != nil {
			return config, err
		}
		config.strictEgress = prefix
	}
	if config.strictIngress && minor == 19 && !config.tunnel {
		return config, fmt.Errorf("strict ingress encryption requires tunneling in 1.19")
	}
	config.podRange = firstPrefix(slices.DeleteFunc([]string{config.clusterPool, data["ipv4-native-routing-cidr"]}, func(s string) bool { return s == "" }))
	if config.strictEgress.IsValid() {
		config.podRange = config.strictEgress
	}
	return config, nil
}

// checkIPsec: daemon/cmd/daemon.go and pkg/option/config.go of Cilium 1.20.
func checkIPsec(data map[string]string, config agentConfig, on machineFacts) error {
	switch {
	case data["enable-l7-proxy"] != "false" && !isTrue(data["dnsproxy-enable-transparent-mode"]):
		return fmt.Errorf("IPsec with the L7 proxy requires DNS proxy transparent mode (dnsproxy-enable-transparent-mode)")
	case config.strictIngress:
		return fmt.Errorf("IPsec cannot be used with strict ingress encryption")
	case isTrue(data["enable-host-firewall"]):
		return fmt.Errorf("IPsec cannot be used with the host firewall")
	case on.bootID == "":
		return fmt.Errorf("IPsec requires a boot id, and this node has none")
	case config.keyFile == "":
		return fmt.Errorf("IPsec is enabled, but ipsec-key-file is not set")
	}
	return nil
}

// The keys were renamed in 1.19.
func strictEgress(data map[string]string) (cidr string, allowRemote bool, enabled bool) {
	if isTrue(data["enable-encryption-strict-mode-egress"]) {
		return data["encryption-strict-egress-cidr"], isTrue(data["encryption-strict-egress-allow-remote-node-identities"]), true
	}
	return data["encryption-strict-mode-cidr"], isTrue(data["encryption-strict-mode-allow-remote-node-identities"]),
		isTrue(data["enable-encryption-strict-mode"])
}

func checkStrictEgress(cidr string, allowRemote bool, node netip.Addr) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() {
		return prefix, fmt.Errorf("strict egress encryption needs an IPv4 CIDR, and %q is none", cidr)
	}
	if prefix.Contains(node) && !allowRemote {
		return prefix, fmt.Errorf("strict egress encryption: the node's address %s lies in %s, which requires allowRemoteNodeIdentities", node, prefix)
	}
	return prefix.Masked(), nil
}

// optsOut: node-encryption-opt-out-labels is a label selector.
func (c agentConfig) optsOut(nodeLabels map[string]string) bool {
	if !c.encryptNode {
		return false
	}
	selector, err := labels.Parse(c.optOutLabels)
	return err == nil && !selector.Empty() && selector.Matches(labels.Set(nodeLabels))
}

func isTrue(value string) bool { return value == "true" }
