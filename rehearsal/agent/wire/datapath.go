// Package wire is the network of a rehearsal: a bridge in a namespace of its own, a namespace a node and a pod, and between
// nodes real packets, plain or encrypted, as Cilium would send them.
package wire

import (
	"net/netip"
	"time"
)

// Encryption is how a node's agent encrypts.
type Encryption string

const (
	Plain     Encryption = ""
	Wireguard Encryption = "wireguard"
	IPsec     Encryption = "ipsec"
)

// Datapath is what an agent makes of its configuration, of its keys and of the CiliumNodes: everything that decides how the
// packets of its node travel. Node.Apply takes a whole one each time.
type Datapath struct {
	// Tunnel is VXLAN between nodes (UDP port 8472); else pod packets are routed as they are.
	Tunnel     bool
	Encryption Encryption
	// ESPInVXLAN: Cilium up to 1.17 encrypts the pod's packet and then tunnels it; later ones encrypt the tunnel's.
	ESPInVXLAN bool
	// EncryptNodes: traffic between node addresses goes through WireGuard too, to peers that encrypt theirs.
	EncryptNodes bool
	// PerPeer: Cilium from 1.18 on decides peer by peer, by what the peer's CiliumNode announces (mixed.go); before that, a node
	// encrypts to all or to none.
	PerPeer bool
	// PodRange holds all pods of the cluster, as far as the configuration tells. An address of it that no peer holds is taken
	// for one outside the cluster. Not valid: such packets go nowhere.
	PodRange netip.Prefix
	Strict   Strict
	// PrivateKey is this node's WireGuard key (Curve25519).
	PrivateKey [32]byte
	// Keys are the IPsec keys that are loaded; the last sends to peers that announce its id, all of them receive.
	Keys []IPsecKey
	// BootID goes into the derivation of per-tunnel IPsec keys.
	BootID string
	Peers  []Peer
}

// IPsecKey is one line of Cilium's key file.
type IPsecKey struct {
	// SPI is the key id, 1 to 15.
	SPI uint32
	// Material is AES key and 4 bytes of salt: 20, 28 or 36 bytes.
	Material []byte
}

// Peer is another node, as its CiliumNode tells.
type Peer struct {
	Name     string
	IP       netip.Addr
	PodCIDRs []netip.Prefix
	// PublicKey is its WireGuard key; all zero where it publishes none.
	PublicKey [32]byte
	// SPI is the key that it announces: the id of an IPsec key, 255 for WireGuard; 0 where it announces none.
	SPI uint32
	// EncryptsNodes: it takes part in node encryption.
	EncryptsNodes bool
	BootID        string
}

// Stats is the live state of a node's encryption.
type Stats struct {
	// Wireguard is keyed by the peer's public key.
	Wireguard map[[32]byte]WireguardStats
	States    []XfrmState
	// Errors are named as /proc/net/xfrm_stat names them, without Xfrm: InStateSeqError, InStateProtoError, OutNoStates, ...
	Errors map[string]int64
	// Unencrypted is what strict mode dropped.
	Unencrypted StrictDrops
}

// WireguardStats is what the device knows of one peer.
type WireguardStats struct {
	Endpoint      netip.AddrPort
	LastHandshake time.Time // zero: never
	Rx, Tx        int64
}

// XfrmState is one direction to or from one peer with one key, like a line of `ip -s xfrm state`.
type XfrmState struct {
	Src, Dst netip.Addr
	SPI      uint32
	Outbound bool
	// Sequence is the last number sent, or the highest received.
	Sequence uint64
	Packets  int64
	Bytes    int64
}

// Fault is one thing that goes wrong on order at one node.
type Fault struct {
	Kind FaultKind `json:"kind"`
	Node string    `json:"node"`
	// Peer limits it to what the node exchanges with one other; empty: with all.
	Peer string `json:"peer,omitempty"`
	// Percent is for Loss.
	Percent int `json:"percent,omitempty"`
	// Seconds is for ClockJump.
	Seconds int `json:"seconds,omitempty"`
}

// FaultKind names a fault; docs/faults.md describes them for people.
type FaultKind string

const (
	// Leak sends to the peer in clear, instead of encrypted.
	Leak FaultKind = "leak"
	// LeakBeside sends encrypted, and a copy of each packet in clear.
	LeakBeside FaultKind = "leak-beside"
	// StaleKey: the node holds a WireGuard key of the peer that the peer has no more.
	StaleKey FaultKind = "stale-peer-key"
	// PeerMissing: the node's encryption does not know the peer.
	PeerMissing FaultKind = "peer-missing"
	// HandshakeDead: WireGuard handshakes of the node are lost.
	HandshakeDead FaultKind = "handshake-dead"
	// WrongSPI: the node encrypts with a key id other than the announced one, which the peers do not have.
	WrongSPI FaultKind = "wrong-spi"
	// ReplayESP sends every ESP packet twice; CorruptESP sends a damaged copy beside each.
	ReplayESP  FaultKind = "replay-esp"
	CorruptESP FaultKind = "corrupt-esp"
	// StrictOff: the node does not enforce strict mode, though it is configured to.
	StrictOff FaultKind = "strict-off"
	// Partition cuts the node's cable. Loss loses that percentage of all its packets, in both directions.
	Partition FaultKind = "partition"
	Loss      FaultKind = "loss"
	// What follows is the agent's, not the wire's: see the agent's own files.
	CountersFrozen FaultKind = "counters-frozen"
	AgentDown      FaultKind = "agent-down"
	OldConfig      FaultKind = "old-config"
	Blind          FaultKind = "blind"
	ClockJump      FaultKind = "clock-jump"
)
