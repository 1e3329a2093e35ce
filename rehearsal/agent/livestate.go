package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"wirecloak/rehearsal/agent/wire"
)

// stateOf is what cilium-dbg in that pod can tell now; false where no agent runs.
func (w *world) stateOf(pod string) (nodeState, bool) {
	w.mu.Lock()
	m, ok := w.byPod[pod]
	running := ok && m.agent.state.running()
	w.mu.Unlock()
	if !running {
		return nodeState{}, false
	}
	// Both ask others, so not under the lock.
	nodes, stats := w.ciliumNodes(), w.stats(m.name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byPod[pod] != m || !m.agent.state.running() {
		return nodeState{}, false
	}
	if m.frozen != nil {
		return m.frozen.at(time.Now()), true
	}
	a := m.agent
	state := nodeState{
		version: a.version, config: a.config, publicKey: m.publicKey, optedOut: a.config.optsOut(m.labels),
		ciliumNodes: len(nodes), stats: stats,
	}
	if m.faults[wire.OldConfig] {
		state.config = withoutEncryption(a.config)
	}
	switch state.config.mode {
	case modeWireguard:
		state.peers = peersOf(m.name, nodes)
		if stats != nil {
			state.clock = clockOf(w.faults, m.name)
			state.peers = livePeers(state.peers, stats.Wireguard, state.clock)
		}
	case modeIPsec:
		for _, key := range a.keys {
			state.spis = append(state.spis, key.spi)
		}
	}
	return state, true
}

// livePeers are those that the device knows, on a node whose clock is off by so much. Addresses and ranges come from the CiliumNodes: by the peer's key, or by its
// address where the device holds another key.
func livePeers(published []peer, device map[[32]byte]wire.WireguardStats, clock time.Duration) []peer {
	peers := make([]peer, 0, len(device))
	for key, stats := range device {
		live := peer{
			PublicKey: base64.StdEncoding.EncodeToString(key[:]), Endpoint: stats.Endpoint.String(), AllowedIPs: []string{},
			LastHandshakeTime: never, TransferRx: stats.Rx, TransferTx: stats.Tx,
		}
		if !stats.LastHandshake.IsZero() {
			live.LastHandshakeTime = stats.LastHandshake.Add(clock).UTC().Format(handshakeFormat)
		}
		same := func(p peer) bool { return p.PublicKey == live.PublicKey }
		index := slices.IndexFunc(published, same)
		if index < 0 {
			index = slices.IndexFunc(published, func(p peer) bool { return p.Endpoint == live.Endpoint })
		}
		if index >= 0 {
			live.AllowedIPs = published[index].AllowedIPs
		}
		peers = append(peers, live)
	}
	slices.SortFunc(peers, func(a, b peer) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return peers
}

// maxSequence is the highest number sent, as Cilium prints it: 64 bits since 1.18, which has extended sequence numbers.
func maxSequence(states []wire.XfrmState, minor int) string {
	var highest uint64
	for _, state := range states {
		if state.Outbound {
			highest = max(highest, state.Sequence)
		}
	}
	switch {
	case highest == 0:
		return "N/A"
	case minor < 18:
		return fmt.Sprintf("0x%x/0xffffffff", highest)
	}
	return fmt.Sprintf("0x%x/0xffffffffffffffff", highest)
}

// xfrmErrors are named as Cilium names them: by the fields of /proc/net/xfrm_stat. Those that are 0 are left out.
func xfrmErrors(counted map[string]int64) (errors map[string]int64, total int64) {
	for name, count := range counted {
		if count == 0 {
			continue
		}
		if errors == nil {
			errors = map[string]int64{}
		}
		errors["Xfrm"+name] = count
		total += count
	}
	return errors, total
}

// frozenState is a state that lies: it stays as it was, while its counters go on as those of a node that encrypts would.
type frozenState struct {
	state nodeState
	since time.Time
}

// Of the traffic that a frozen state makes up: packets a second to and from each peer, and bytes a packet.
const (
	frozenRate  = 20
	frozenBytes = 148
)

func (f frozenState) at(now time.Time) nodeState {
	state := f.state
	// Never 0, or it would not advance between two looks at once.
	packets := int64(1 + now.Sub(f.since).Seconds()*frozenRate)
	state.peers = slices.Clone(state.peers)
	for i := range state.peers {
		p := &state.peers[i]
		p.TransferRx += packets * frozenBytes
		p.TransferTx += packets * frozenBytes
		// WireGuard makes a new handshake every two minutes.
		p.LastHandshakeTime = now.Add(-now.Sub(f.since) % (2 * time.Minute)).UTC().Format(handshakeFormat)
	}
	if state.stats != nil {
		stats := *state.stats
		stats.Errors = maps.Clone(stats.Errors)
		stats.States = slices.Clone(stats.States)
		for i := range stats.States {
			stats.States[i].Sequence += uint64(packets)
			stats.States[i].Packets += packets
			stats.States[i].Bytes += packets * frozenBytes
		}
		state.stats = &stats
	}
	return state
}

// firstPrefix is the first of a node's pod CIDRs; not valid where it has none.
func firstPrefix(cidrs []string) netip.Prefix {
	if len(cidrs) == 0 {
		return netip.Prefix{}
	}
	prefix, _ := netip.ParsePrefix(cidrs[0])
	return prefix
}
