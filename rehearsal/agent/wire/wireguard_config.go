package wire

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wireguardConfig is what a node's WireGuard device is to be: a pure function of its datapath and faults.
type wireguardConfig struct {
	privateKey [32]byte
	peers      map[[32]byte]wireguardPeer
}

type wireguardPeer struct {
	name       string
	endpoint   netip.AddrPort
	allowedIPs []netip.Prefix
}

// wireguardConfigOf gives each peer what Cilium gives it: its node address and its pod CIDRs, so that packets between pods,
// between nodes and the tunnel's may all travel encrypted; the routes say which do. staleKey stands in for the key of a peer
// that the fault StaleKey concerns.
func wireguardConfigOf(datapath Datapath, faults []Fault, staleKey func(peer string) [32]byte) wireguardConfig {
	config := wireguardConfig{datapath.PrivateKey, map[[32]byte]wireguardPeer{}}
	for _, peer := range datapath.Peers {
		if peer.PublicKey == [32]byte{} || !peer.IP.IsValid() || faultFor(faults, PeerMissing, peer.Name) {
			continue
		}
		key := peer.PublicKey
		if faultFor(faults, StaleKey, peer.Name) {
			key = staleKey(peer.Name)
		}
		node := netip.PrefixFrom(peer.IP, peer.IP.BitLen())
		config.peers[key] = wireguardPeer{
			name:       peer.Name,
			endpoint:   netip.AddrPortFrom(peer.IP, wireguardPort),
			allowedIPs: append([]netip.Prefix{node}, peer.PodCIDRs...),
		}
	}
	return config
}

// nodesWith are the addresses of the peers that a fault concerns.
func (c wireguardConfig) nodesWith(kind FaultKind, faults []Fault) *map[netip.Addr]bool {
	nodes := map[netip.Addr]bool{}
	for _, peer := range c.peers {
		if faultFor(faults, kind, peer.name) {
			nodes[peer.endpoint.Addr()] = true
		}
	}
	return &nodes
}

// since writes the change from an earlier configuration for WireGuard's UAPI (wireguard.com/xplatform). A peer that did not
// change is not in it, so it keeps its session and counters.
func (c wireguardConfig) since(before wireguardConfig) string {
	var text strings.Builder
	if c.privateKey != before.privateKey {
		fmt.Fprintf(&text, "private_key=%x\n", c.privateKey)
	}
	// Removals first: an allowed IP belongs to one peer only, and may be going from one key to another.
	for key := range before.peers {
		if _, stays := c.peers[key]; !stays {
			fmt.Fprintf(&text, "public_key=%x\nremove=true\n", key)
		}
	}
	for key, peer := range c.peers {
		old, known := before.peers[key]
		if known && old.endpoint == peer.endpoint && slices.Equal(old.allowedIPs, peer.allowedIPs) {
			continue
		}
		fmt.Fprintf(&text, "public_key=%x\nendpoint=%s\nreplace_allowed_ips=true\n", key, peer.endpoint)
		for _, prefix := range peer.allowedIPs {
			fmt.Fprintf(&text, "allowed_ip=%s\n", prefix)
		}
	}
	return text.String()
}

// parseWireguardStats reads the answer to the UAPI's `get`: one peer after the other, each beginning with its public key.
func parseWireguardStats(uapi string) map[[32]byte]WireguardStats {
	all := map[[32]byte]WireguardStats{}
	var key [32]byte
	var peer WireguardStats
	var seconds int64
	for line := range strings.Lines(uapi) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		number, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "public_key":
			key, peer = [32]byte{}, WireguardStats{}
			_, _ = hex.Decode(key[:], []byte(value))
		case "endpoint":
			peer.Endpoint, _ = netip.ParseAddrPort(value)
		case "last_handshake_time_sec":
			seconds = number
		case "last_handshake_time_nsec":
			if seconds != 0 || number != 0 {
				peer.LastHandshake = time.Unix(seconds, number)
			}
		case "rx_bytes":
			peer.Rx = number
		case "tx_bytes":
			peer.Tx = number
		}
		if key != [32]byte{} {
			all[key] = peer
		}
	}
	return all
}
