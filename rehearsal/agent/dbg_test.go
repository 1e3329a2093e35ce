package main

import (
	"strings"
	"testing"

	"wirecloak/rehearsal/agent/wire"
)

func compact(text string) string { return strings.Join(strings.Fields(text), "") }

func TestCiliumDbgAnswersInCiliumsShapes(t *testing.T) {
	peers := []peer{{PublicKey: "P", Endpoint: "172.30.0.2:51871", AllowedIPs: []string{"172.30.0.2/32"}, LastHandshakeTime: never}}
	wireguard := nodeState{version: "1.20.2", publicKey: "K", peers: peers, ciliumNodes: 2,
		config: agentConfig{mode: modeWireguard, optOutLabels: "x", tunnel: true}}
	older := wireguard
	older.version = "1.18.12"
	optedOut := wireguard
	optedOut.config.encryptNode, optedOut.optedOut = true, true
	ipsec := nodeState{version: "1.20.2", ciliumNodes: 4, spis: []int{3}, config: agentConfig{mode: modeIPsec, tunnel: true}}
	rotating, native, alone, aloneOlder := ipsec, ipsec, ipsec, ipsec
	rotating.spis = []int{3, 4}
	native.config.tunnel = false
	alone.ciliumNodes, aloneOlder.ciliumNodes, aloneOlder.version = 1, 1, "1.18.12"
	off := nodeState{version: "1.20.2", config: agentConfig{mode: modeDisabled}}
	strict := wireguard
	strict.stats = &wire.Stats{Unencrypted: wire.StrictDrops{Egress: wire.Drops{Packets: 3, Bytes: 252}}}

	for _, c := range []struct {
		name    string
		state   nodeState
		command string
		want    string
	}{
		{"encrypt status, wireguard", wireguard, "encrypt status -o json",
			`{"mode":"Wireguard","wireguard":{"interfaces":[{"listen-port":51871,"name":"cilium_wg0","peer-count":1,"peers":null,"public-key":"K"}]}}`},
		{"the same before 1.19 is the agent's word, without the port", older, "encrypt status -o json",
			`{"mode":"Wireguard","wireguard":{"interfaces":[{"name":"cilium_wg0","peer-count":1,"peers":null,"public-key":"K"}]}}`},
		{"encrypt status, ipsec", ipsec, "encrypt status --output=json",
			`{"ipsec":{"decrypt-interfaces":["eth0"],"keys-in-use":12,"max-seq-number":"N/A"},"mode":"IPsec"}`},
		{"two keys coexist", rotating, "encrypt status -o json",
			`{"ipsec":{"decrypt-interfaces":["eth0"],"keys-in-use":24,"max-seq-number":"N/A"},"mode":"IPsec"}`},
		{"native routing has half the keys", native, "encrypt status -o json",
			`{"ipsec":{"decrypt-interfaces":["eth0"],"keys-in-use":6,"max-seq-number":"N/A"},"mode":"IPsec"}`},
		{"a node alone has no ipsec state", alone, "encrypt status -o json", `{"mode":"IPsec"}`},
		{"but says so before 1.19", aloneOlder, "encrypt status -o json",
			`{"ipsec":{"decrypt-interfaces":["eth0"],"max-seq-number":"N/A"},"mode":"IPsec"}`},
		{"encrypt status, off", off, "encrypt status -o json", `{"mode":"Disabled"}`},
		{"encrypt status as text", wireguard, "encrypt status", "Encryption:WireguardInterface:cilium_wg0Publickey:KNumberofpeers:1"},
		{"ipsec as text", ipsec, "encrypt status", "Encryption:IPsecDecryptioninterface(s):eth0Keysinuse:12MaxSeq.Number:N/AErrors:0"},
		{"debuginfo names the peers, with no handshake ever", wireguard, "debuginfo --output json",
			`{"cilium-version":"1.20.2","encryption":{"mode":"Wireguard","wireguard":{"interfaces":[{"listen-port":51871,"name":"cilium_wg0","peer-count":1,"peers":[{"public-key":"P","endpoint":"172.30.0.2:51871","allowed-ips":["172.30.0.2/32"],"last-handshake-time":"0001-01-01T00:00:00.000Z"}],"public-key":"K"}],"node-encrypt-opt-out-labels":"x","node-encryption":"Disabled"}}}`},
		{"what strict mode dropped", strict, "bpf metrics list -o json",
			`[{"reason":"Trafficisunencrypted","direction":"egress","packets":3,"bytes":252,"line":0,"file":"bpf_host.c"}]`},
		{"the same among the agent's metrics", strict, "metrics list -o json",
			`[{"name":"cilium_drop_bytes_total","labels":{"direction":"EGRESS","reason":"Trafficisunencrypted"},"value":252},{"name":"cilium_drop_count_total","labels":{"direction":"EGRESS","reason":"Trafficisunencrypted"},"value":3}]`},
		{"no drops among the agent's metrics", wireguard, "metrics list -o json", "[]"},
		{"drops as text", strict, "bpf metrics list", "REASONDIRECTIONPACKETSBYTESLINEFILETrafficisunencryptedEGRESS32520bpf_host.c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errOut, exit := ciliumDbg(append([]string{"cilium-dbg"}, strings.Fields(c.command)...), c.state)
			if exit != 0 || errOut != "" || compact(out) != c.want {
				t.Fatalf("exit %d, %s%s\nwanted %s", exit, errOut, compact(out), c.want)
			}
		})
	}

	t.Run("without an entry Cilium prints no document", func(t *testing.T) {
		out, errOut, exit := ciliumDbg(strings.Fields("cilium-dbg bpf metrics list -o json"), wireguard)
		if out != "" || errOut != "No entries found.\n" || exit != 0 {
			t.Fatal(out, errOut, exit)
		}
	})
	t.Run("status tells of ipsec nothing but the mode", func(t *testing.T) {
		out, _, _ := ciliumDbg([]string{"cilium", "status", "-o", "json"}, ipsec)
		if !strings.Contains(compact(out), `"encryption":{"mode":"IPsec"}`) {
			t.Fatal(out)
		}
	})
	t.Run("status tells who opts out of node encryption", func(t *testing.T) {
		out, _, _ := ciliumDbg([]string{"cilium-dbg", "status", "-o", "json"}, optedOut)
		if !strings.Contains(compact(out), `"node-encryption":"OptedOut"`) {
			t.Fatal(out)
		}
	})
	for _, command := range []string{"bpf lb list", "encrypt", "encrypt status --nonsense", "status -o yaml", "encrypt dump-xfrm", ""} {
		t.Run("unknown command fails: "+command, func(t *testing.T) {
			out, errOut, exit := ciliumDbg(append([]string{"cilium-dbg"}, strings.Fields(command)...), wireguard)
			if exit == 0 || errOut == "" || out != "" {
				t.Fatalf("exit %d %q %q", exit, out, errOut)
			}
		})
	}
}
