package wire

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func wireguardDatapath(peers ...Peer) Datapath {
	return Datapath{Encryption: Wireguard, PrivateKey: [32]byte{1}, Peers: peers}
}

func wireguardPeerOf(name string, number byte) Peer {
	return Peer{
		Name: name, IP: netip.AddrFrom4([4]byte{172, 30, 0, number}), PublicKey: [32]byte{number},
		PodCIDRs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244, number, 0}), 24)},
	}
}

func configOf(datapath Datapath, faults ...Fault) wireguardConfig {
	return wireguardConfigOf(datapath, faults, func(peer string) [32]byte { return [32]byte{0xee} })
}

func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }

const (
	zeros   = "00000000000000000000000000000000000000000000000000000000000000"
	key2    = "public_key=02" + zeros
	key3    = "public_key=03" + zeros
	keyLie  = "public_key=ee" + zeros
	private = "private_key=01" + zeros
)

func TestWireguardConfiguresAPeerAsCiliumDoes(t *testing.T) {
	got := configOf(wireguardDatapath(wireguardPeerOf("b", 2))).since(wireguardConfig{})
	want := lines(private, key2, "endpoint=172.30.0.2:51871", "replace_allowed_ips=true",
		"allowed_ip=172.30.0.2/32", "allowed_ip=10.244.2.0/24")
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWireguardConfiguresWhatChanged(t *testing.T) {
	b, c := wireguardPeerOf("b", 2), wireguardPeerOf("c", 3)
	moved, rekeyed, keyless, homeless := b, b, b, b
	moved.PodCIDRs = append(moved.PodCIDRs, netip.MustParsePrefix("10.244.9.0/24"))
	rekeyed.PublicKey = c.PublicKey
	keyless.PublicKey = [32]byte{}
	homeless.IP = netip.Addr{}
	added := []string{"endpoint=172.30.0.2:51871", "replace_allowed_ips=true", "allowed_ip=172.30.0.2/32", "allowed_ip=10.244.2.0/24"}
	removed := lines(key2, "remove=true")
	for name, test := range map[string]struct {
		peers  []Peer
		faults []Fault
		want   string
	}{
		"nothing":                 {[]Peer{b}, nil, ""},
		"a peer's pod CIDRs":      {[]Peer{moved}, nil, lines(append(append([]string{key2}, added...), "allowed_ip=10.244.9.0/24")...)},
		"a peer's key":            {[]Peer{rekeyed}, nil, removed + lines(append([]string{key3}, added...)...)},
		"a peer loses its key":    {[]Peer{keyless}, nil, removed},
		"a peer loses its IP":     {[]Peer{homeless}, nil, removed},
		"a peer goes":             {nil, nil, removed},
		"fault: peer missing":     {[]Peer{b}, []Fault{{Kind: PeerMissing, Peer: "b"}}, removed},
		"fault: stale key":        {[]Peer{b}, []Fault{{Kind: StaleKey}}, removed + lines(append([]string{keyLie}, added...)...)},
		"fault: of another's key": {[]Peer{b}, []Fault{{Kind: StaleKey, Peer: "c"}}, ""},
	} {
		if got := configOf(wireguardDatapath(test.peers...), test.faults...).since(configOf(wireguardDatapath(b))); got != test.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, test.want)
		}
	}
}

func TestWireguardStatsAreOnePeerEach(t *testing.T) {
	got := parseWireguardStats(lines(
		"private_key=01"+zeros, "listen_port=51871",
		key2, "endpoint=172.30.0.2:51871", "last_handshake_time_sec=1700000000", "last_handshake_time_nsec=5", "tx_bytes=10", "rx_bytes=20",
		key3, "last_handshake_time_sec=0", "last_handshake_time_nsec=0", "tx_bytes=148", "rx_bytes=0",
	))
	want := map[[32]byte]WireguardStats{
		{2}: {Endpoint: netip.MustParseAddrPort("172.30.0.2:51871"), LastHandshake: time.Unix(1700000000, 5), Tx: 10, Rx: 20},
		{3}: {Tx: 148},
	}
	if len(got) != len(want) || got[[32]byte{2}] != want[[32]byte{2}] || got[[32]byte{3}] != want[[32]byte{3}] {
		t.Errorf("got %v, want %v", got, want)
	}
}
