package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAgentStartsOrRefusesAsCilium(t *testing.T) {
	here := machineFacts{ip: netip.MustParseAddr("172.30.0.3"), bootID: "b"}
	ipsec := map[string]string{
		"enable-ipsec": "true", "ipsec-key-file": "/etc/ipsec/keys", "enable-l7-proxy": "true", "dnsproxy-enable-transparent-mode": "true",
	}
	wireguard := map[string]string{"enable-wireguard": "true", "enable-l7-proxy": "true"}
	egress := func(cidr, allow string) map[string]string {
		return map[string]string{
			"enable-encryption-strict-mode-egress": "true", "encryption-strict-egress-cidr": cidr,
			"encryption-strict-egress-allow-remote-node-identities": allow,
		}
	}
	old := map[string]string{"enable-encryption-strict-mode": "true", "encryption-strict-mode-cidr": "nonsense"}
	for _, c := range []struct {
		name  string
		parts []map[string]string
		minor int
		on    machineFacts
		mode  encryptionMode
		wrong string
	}{
		{name: "nothing", mode: modeDisabled},
		{name: "wireguard", parts: []map[string]string{wireguard}, mode: modeWireguard},
		{name: "ipsec", parts: []map[string]string{ipsec}, mode: modeIPsec},
		{name: "both", parts: []map[string]string{ipsec, wireguard}, wrong: "cannot be used with IPsec"},
		{name: "ipsec without the transparent DNS proxy", parts: []map[string]string{ipsec, {"dnsproxy-enable-transparent-mode": "false"}}, wrong: "transparent"},
		{name: "ipsec without any proxy", parts: []map[string]string{ipsec, {"dnsproxy-enable-transparent-mode": "false", "enable-l7-proxy": "false"}}, mode: modeIPsec},
		{name: "ipsec with strict ingress", parts: []map[string]string{ipsec, {"enable-encryption-strict-mode-ingress": "true"}}, wrong: "strict ingress"},
		{name: "ipsec with the host firewall", parts: []map[string]string{ipsec, {"enable-host-firewall": "true"}}, wrong: "host firewall"},
		{name: "ipsec without a boot id", parts: []map[string]string{ipsec}, on: machineFacts{ip: here.ip}, wrong: "boot id"},
		{name: "ipsec with node encryption is silent", parts: []map[string]string{ipsec, {"encrypt-node": "true"}}, mode: modeIPsec},
		{name: "strict egress without a range", parts: []map[string]string{wireguard, egress("", "false")}, wrong: "IPv4 CIDR"},
		{name: "strict egress with IPv6", parts: []map[string]string{wireguard, egress("fd00::/8", "false")}, wrong: "IPv4 CIDR"},
		{name: "strict egress over the node's own address", parts: []map[string]string{wireguard, egress("172.16.0.0/12", "false")}, wrong: "allowRemoteNodeIdentities"},
		{name: "the same, allowed", parts: []map[string]string{wireguard, egress("172.16.0.0/12", "true")}, mode: modeWireguard},
		{name: "strict mode without encryption is not looked at", parts: []map[string]string{egress("nonsense", "false")}, mode: modeDisabled},
		{name: "1.18 looks at strict mode with wireguard", minor: 18, parts: []map[string]string{wireguard, old}, wrong: "IPv4 CIDR"},
		{name: "1.18 ignores it with ipsec", minor: 18, parts: []map[string]string{ipsec, old}, mode: modeIPsec},
		{name: "1.19 wants a tunnel for strict ingress", minor: 19, parts: []map[string]string{wireguard, {"enable-encryption-strict-mode-ingress": "true", "routing-mode": "native"}}, wrong: "tunneling"},
		{name: "1.20 does not", minor: 20, parts: []map[string]string{wireguard, {"enable-encryption-strict-mode-ingress": "true", "routing-mode": "native"}}, mode: modeWireguard},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := map[string]string{}
			for _, part := range c.parts {
				for key, value := range part {
					data[key] = value
				}
			}
			on, minor := here, 20
			if c.on.ip.IsValid() {
				on = c.on
			}
			if c.minor != 0 {
				minor = c.minor
			}
			config, err := parseConfig(data, minor, on)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("error %v, wanted one about %q", err, c.wrong)
				}
				return
			}
			if err != nil || config.mode != c.mode {
				t.Fatalf("mode %s (%v), wanted %s", config.mode, err, c.mode)
			}
		})
	}
}

func TestControlPlanesOptOutOfNodeEncryptionOnly(t *testing.T) {
	controlPlane := map[string]string{"node-role.kubernetes.io/control-plane": ""}
	for _, c := range []struct {
		name   string
		data   map[string]string
		labels map[string]string
		want   bool
	}{
		{name: "node encryption, control plane", data: map[string]string{"encrypt-node": "true"}, labels: controlPlane, want: true},
		{name: "node encryption, worker", data: map[string]string{"encrypt-node": "true"}},
		{name: "no node encryption", data: map[string]string{}, labels: controlPlane},
		{name: "nobody may", data: map[string]string{"encrypt-node": "true", "node-encryption-opt-out-labels": ""}, labels: controlPlane},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := parseConfig(c.data, 20, machineFacts{})
			if err != nil {
				t.Fatal(err)
			}
			if got := config.optsOut(c.labels); got != c.want {
				t.Fatalf("opts out: %v", got)
			}
		})
	}
}

func TestKeyRotationDurationIsFiveMinutesUnlessSet(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 5 * time.Minute, "90s": 90 * time.Second} {
		config, err := parseConfig(map[string]string{"ipsec-key-rotation-duration": value}, 20, machineFacts{})
		if err != nil || config.keyRotation != want {
			t.Errorf("%q: %v (%v)", value, config.keyRotation, err)
		}
	}
}

func TestTheRangeOfPods(t *testing.T) {
	pool := map[string]string{"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.0.0.0/8 10.1.0.0/16"}
	native := map[string]string{"ipv4-native-routing-cidr": "10.2.0.0/16"}
	strict := map[string]string{
		"enable-wireguard": "true", "enable-encryption-strict-mode-egress": "true", "encryption-strict-egress-cidr": "10.3.7.0/16",
		"ipv4-native-routing-cidr": "10.2.0.0/16",
	}
	for want, data := range map[string]map[string]string{"10.0.0.0/8": pool, "10.2.0.0/16": native, "10.3.0.0/16": strict, "invalid Prefix": {}} {
		config, err := parseConfig(data, 20, machineFacts{})
		if err != nil || config.podRange.String() != want || config.strictEgress.IsValid() != (want == "10.3.0.0/16") {
			t.Errorf("%v: %s, not %s (%v)", data, config.podRange, want, err)
		}
	}
}
