package main

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wirecloak/rehearsal/agent/wire"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func key32(first byte) [32]byte { return [32]byte{first} }

func base64Of(first byte) string {
	key := key32(first)
	return base64.StdEncoding.EncodeToString(key[:])
}

func TestPeersAreThoseOfTheDeviceWithItsCounters(t *testing.T) {
	published := []peer{
		{PublicKey: base64Of(1), Endpoint: "172.30.0.2:51871", AllowedIPs: []string{"10.244.0.0/24"}},
		{PublicKey: base64Of(2), Endpoint: "172.30.0.3:51871", AllowedIPs: []string{"10.244.1.0/24"}},
		{PublicKey: base64Of(3), Endpoint: "172.30.0.4:51871", AllowedIPs: []string{"10.244.2.0/24"}},
	}
	device := map[[32]byte]wire.WireguardStats{
		key32(1): {Endpoint: netip.MustParseAddrPort("172.30.0.2:51871"), LastHandshake: time.Unix(1_700_000_000, 0), Rx: 5, Tx: 7},
		// A key that the peer has no more.
		key32(9): {Endpoint: netip.MustParseAddrPort("172.30.0.3:51871")},
	}
	live := livePeers(published, device, 0)
	if len(live) != 2 {
		t.Fatalf("a peer that the device does not know is told: %+v", live)
	}
	if live[0].LastHandshakeTime != "2023-11-14T22:13:20.000Z" || live[0].TransferRx != 5 || live[0].TransferTx != 7 || live[0].AllowedIPs[0] != "10.244.0.0/24" {
		t.Errorf("%+v", live[0])
	}
	if live[1].PublicKey != base64Of(9) || live[1].AllowedIPs[0] != "10.244.1.0/24" || live[1].LastHandshakeTime != never {
		t.Errorf("%+v", live[1])
	}
}

func ipsecLive(minor string) nodeState {
	a, b := netip.MustParseAddr("172.30.0.2"), netip.MustParseAddr("172.30.0.3")
	return nodeState{version: "1." + minor + ".0", ciliumNodes: 2, spis: []int{3}, config: agentConfig{mode: modeIPsec, tunnel: true}, stats: &wire.Stats{
		States: []wire.XfrmState{
			{Src: a, Dst: b, SPI: 3, Outbound: true, Sequence: 0x1e3, Packets: 483, Bytes: 4830},
			{Src: b, Dst: a, SPI: 3, Sequence: 0xfff},
		},
		Errors: map[string]int64{"InStateSeqError": 2, "InNoStates": 0},
	}}
}

func TestEncryptStatusComesFromTheLiveStates(t *testing.T) {
	for minor, highest := range map[string]string{"17": "0x1e3/0xffffffff", "20": "0x1e3/0xffffffffffffffff"} {
		out, _, _ := ciliumDbg([]string{"cilium-dbg", "encrypt", "status", "-o", "json"}, ipsecLive(minor))
		want := `{"ipsec":{"decrypt-interfaces":["eth0"],"error-count":2,"keys-in-use":4,"max-seq-number":"` + highest +
			`","xfrm-errors":{"XfrmInStateSeqError":2}},"mode":"IPsec"}`
		if compact(out) != want {
			t.Errorf("1.%s: %s\nwanted %s", minor, compact(out), want)
		}
	}
	unused := ipsecLive("20")
	unused.stats.States[0].Sequence = 0
	if out, _, _ := ciliumDbg([]string{"cilium-dbg", "encrypt", "status", "-o", "json"}, unused); !strings.Contains(out, `"N/A"`) {
		t.Error("a number that was received counts as one that was sent: " + out)
	}
}

func TestIPXfrmTellsStatesButNoKeys(t *testing.T) {
	text, mine := ipXfrm([]string{"ip", "-s", "xfrm", "state"}, ipsecLive("20"))
	if !mine || strings.Count(text, "<<key hidden>>") != 2 || !strings.Contains(text, "src 172.30.0.2 dst 172.30.0.3\n\tproto esp spi 0x00000003(3)") ||
		!strings.Contains(text, "oseq 0x1e3") || !strings.Contains(text, "4830(bytes), 483(packets)") {
		t.Error(text)
	}
	text, mine = ipXfrm([]string{"ip", "xfrm", "policy", "list"}, ipsecLive("20"))
	if !mine || !strings.Contains(text, "dir out") || !strings.Contains(text, "dir in") {
		t.Error(text)
	}
	for command, want := range map[string]string{"ip xfrm state count": "\t SAD count 2\n", "ip xfrm policy count": "\t SPD IN  1 OUT 1 FWD 0\n"} {
		if text, mine := ipXfrm(strings.Fields(command), ipsecLive("20")); !mine || text != want {
			t.Errorf("%s: %q", command, text)
		}
	}
	if text, _ := ipXfrm(strings.Fields("ip xfrm state count"), nodeState{}); text != "\t SAD count 0\n" {
		t.Errorf("without IPsec: %q", text)
	}
	for _, other := range []string{"ip addr", "ip xfrm monitor", "tcpdump xfrm state", "ip -s xfrm state delete"} {
		if _, mine := ipXfrm(strings.Fields(other), ipsecLive("20")); mine {
			t.Errorf("%s is answered here", other)
		}
	}
}

func TestWgShowHidesThePrivateKey(t *testing.T) {
	now := time.Unix(1_700_000_060, 0)
	state := nodeState{publicKey: "K", config: agentConfig{mode: modeWireguard}, peers: []peer{
		{PublicKey: "P", Endpoint: "172.30.0.3:51871", AllowedIPs: []string{"a", "b"}, LastHandshakeTime: "2023-11-14T22:13:20.000Z", TransferRx: 1, TransferTx: 2},
		{PublicKey: "Q", LastHandshakeTime: never},
	}}
	dump, _ := wgShow([]string{"wg", "show", "cilium_wg0", "dump"}, state, now)
	if dump != "(hidden)\tK\t51871\t0xe00\nP\t(none)\t172.30.0.3:51871\ta,b\t1700000000\t1\t2\toff\nQ\t(none)\t\t\t0\t0\t0\toff\n" {
		t.Errorf("%q", dump)
	}
	text, _ := wgShow([]string{"wg"}, state, now)
	if !strings.Contains(text, "private key: (hidden)") || !strings.Contains(text, "60 seconds ago") || strings.Count(text, "handshake") != 1 {
		t.Error(text)
	}
	if _, mine := wgShow([]string{"wg", "genkey"}, state, now); mine {
		t.Error("wg genkey is answered here")
	}
}

func TestAFrozenStateAdvancesAtEveryLook(t *testing.T) {
	since := time.Unix(1_700_000_000, 0)
	state := ipsecLive("20")
	state.peers = []peer{{PublicKey: "P", LastHandshakeTime: never}}
	frozen := frozenState{state, since}
	first, second := frozen.at(since), frozen.at(since.Add(5*time.Minute))
	if first.stats.States[0].Sequence <= 0x1e3 || second.stats.States[0].Sequence <= first.stats.States[0].Sequence ||
		second.peers[0].TransferRx <= first.peers[0].TransferRx {
		t.Fatalf("%+v\n%+v", first.stats.States, second.stats.States)
	}
	if at, ok := second.peers[0].handshake(); !ok || since.Add(5*time.Minute).Sub(at) > 2*time.Minute {
		t.Error("no plausible handshake: " + second.peers[0].LastHandshakeTime)
	}
	if state.stats.States[0].Sequence != 0x1e3 || state.peers[0].TransferRx != 0 {
		t.Error("the state itself changed")
	}
}

func TestDatapathFollowsConfigurationKeysAndCiliumNodes(t *testing.T) {
	nodes := []*unstructured.Unstructured{
		ciliumNode(ciliumNodeFacts{name: "n1", ip: netip.MustParseAddr("172.30.0.2"), podCIDRs: []string{"10.244.0.0/24"}, key: 3}),
		ciliumNode(ciliumNodeFacts{name: "n2", ip: netip.MustParseAddr("172.30.0.3"), podCIDRs: []string{"10.244.1.0/24"}, key: wireguardKeyIndex, publicKey: base64Of(2), bootID: "b2"}),
		ciliumNode(ciliumNodeFacts{name: "n3", ip: netip.MustParseAddr("172.30.0.4"), publicKey: base64Of(3)}),
	}
	secret := []byte(strings.Repeat("k", aesGCMBytes))
	m := &machine{name: "n1", bootID: "b1", privateKey: key32(7), labels: map[string]string{"node-role.kubernetes.io/control-plane": ""}}
	m.agent = &agent{version: "1.20.2", config: agentConfig{mode: modeWireguard, tunnel: true, encryptNode: true}}
	got := datapathOf(m, nodes)
	if got.Encryption != wire.Wireguard || !got.Tunnel || !got.EncryptNodes || got.PrivateKey != key32(7) || len(got.Peers) != 2 {
		t.Fatalf("%+v", got)
	}
	if p := got.Peers[0]; p.Name != "n2" || p.PublicKey != key32(2) || !p.EncryptsNodes || p.BootID != "b2" || p.PodCIDRs[0].String() != "10.244.1.0/24" {
		t.Errorf("%+v", p)
	}
	if p := got.Peers[1]; p.EncryptsNodes || p.PublicKey != key32(3) || p.SPI != 0 {
		t.Errorf("a node that opts out: %+v", p)
	}
	if !got.PerPeer || got.Strict != (wire.Strict{}) {
		t.Errorf("1.20 decides peer by peer, and strict mode is off: %+v", got)
	}
	m.agent.config.optOutLabels = "node-role.kubernetes.io/control-plane"
	if datapathOf(m, nodes).EncryptNodes {
		t.Error("a node that opts out encrypts its own traffic")
	}
	m.agent.config = agentConfig{mode: modeIPsec, tunnel: true}
	m.agent.keys = []ipsecKey{{spi: 3, material: secret}, {spi: 4, material: secret}}
	if got = datapathOf(m, nodes); got.Encryption != wire.IPsec || got.ESPInVXLAN || len(got.Keys) != 2 || got.Keys[1].SPI != 4 || string(got.Keys[0].Material) != string(secret) {
		t.Errorf("%+v", got)
	}
	m.agent.version = "1.17.18"
	if got = datapathOf(m, nodes); !got.ESPInVXLAN || got.PerPeer {
		t.Error("1.17 encrypts before it tunnels, to all or to none")
	}
	pods := netip.MustParsePrefix("10.244.0.0/16")
	m.agent.config.strictEgress, m.agent.config.podRange = pods, pods
	if got = datapathOf(m, nodes); got.Strict != (wire.Strict{Egress: pods}) || got.PodRange != pods {
		t.Errorf("strict mode: %+v", got)
	}
	m.faults = map[wire.FaultKind]bool{wire.OldConfig: true}
	if got = datapathOf(m, nodes); got.Encryption != wire.Plain || !got.Tunnel || len(got.Keys) != 0 || got.Strict != (wire.Strict{}) {
		t.Errorf("with old-config: %+v", got)
	}
}
