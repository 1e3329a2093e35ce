package wire

import (
	"testing"
	"time"
)

const (
	// soon is longer than the 5 seconds after which WireGuard tries a lost handshake again.
	soon = 8 * time.Second
	// promptly is shorter than that.
	promptly = 3 * time.Second
	// never is how long we wait for what must not arrive.
	never = 700 * time.Millisecond
)

func TestWireguardCarriesPacketsUnread(t *testing.T) {
	a, b := newWireguardPair(t)
	wire := a.record(t)
	a.echo(t)
	b.echo(t)
	// Without encryption the recording shows the text: it can see what it is asked for.
	a.routeThrough(t, "eth0", b)
	b.routeThrough(t, "eth0", a)
	must(t, a.says("in clear", b, soon))
	if !wire.shows("in clear") {
		t.Fatal("the recording misses a text that passed in clear")
	}

	ours, theirs := a.encrypt(t, b), b.encrypt(t, a)
	must(t, a.says("from a", b, soon))
	must(t, b.says("from b", a, soon))
	if wire.shows("from a") || wire.shows("from b") {
		t.Error("an encrypted text passed in clear")
	}
	if messages := wire.messages(); len(messages) == 0 || messages[0] != (wireguardMessage{a.self.IP, 1}) {
		t.Errorf("the first message is not the sender's initiation: %v", messages)
	}
	for _, stats := range []WireguardStats{ours.stats().Wireguard[b.self.PublicKey], theirs.stats().Wireguard[a.self.PublicKey]} {
		if stats.Rx == 0 || stats.Tx == 0 || time.Since(stats.LastHandshake) > time.Minute || stats.Endpoint.Port() != wireguardPort {
			t.Errorf("the peer's state does not tell of the traffic: %+v", stats)
		}
	}
}

func TestWireguardKeepsTheSessionsOfUnchangedPeers(t *testing.T) {
	a, b := newWireguardPair(t)
	b.echo(t)
	ours := a.encrypt(t, b)
	b.encrypt(t, a)
	must(t, a.says("one", b, soon))
	before := ours.stats().Wireguard[b.self.PublicKey]

	must(t, ours.update(a.knowing(b.self, wireguardPeerOf("node-3", 3))))
	must(t, a.says("two", b, soon))
	after := ours.stats()
	if stats := after.Wireguard[b.self.PublicKey]; stats.LastHandshake != before.LastHandshake || stats.Tx <= before.Tx || stats.Rx <= before.Rx {
		t.Errorf("before %+v, after another peer came %+v", before, stats)
	}
	if stats, known := after.Wireguard[[32]byte{3}]; !known || !stats.LastHandshake.IsZero() {
		t.Errorf("the new peer: known %v, %+v", known, stats)
	}

	must(t, ours.update(a.knowing()))
	if a.says("three", b, never) == nil || len(ours.stats().Wireguard) != 0 {
		t.Error("a removed peer is still there")
	}
}

func TestWireguardFaultsStopTrafficUntilTheyEnd(t *testing.T) {
	for _, kind := range []FaultKind{StaleKey, HandshakeDead, PeerMissing} {
		t.Run(string(kind), func(t *testing.T) {
			a, b := newWireguardPair(t)
			a.echo(t)
			b.echo(t)
			ours := a.encrypt(t, b)
			b.encrypt(t, a)
			must(t, a.says("healthy", b, soon))
			datapath, _ := a.knowing(b.self)

			must(t, ours.update(datapath, []Fault{{Kind: kind, Peer: "another"}}))
			must(t, a.says("another's fault", b, soon))

			fault := []Fault{{Kind: kind, Node: a.self.Name, Peer: b.self.Name}}
			must(t, ours.update(datapath, fault))
			during := ours.stats().Wireguard
			must(t, ours.update(datapath, fault))
			if a.says("out", b, never) == nil || b.says("in", a, never) == nil {
				t.Error("traffic passes in spite of the fault")
			}
			for key, stats := range ours.stats().Wireguard {
				if _, before := during[key]; !before {
					t.Error("the stale key is another after an update")
				}
				if stats.Rx != during[key].Rx {
					t.Errorf("the node heard something: %+v, then %+v", during[key], stats)
				}
			}
			if _, known := during[b.self.PublicKey]; known != (kind == HandshakeDead) {
				t.Errorf("the peer's true key is known: %v", known)
			}

			must(t, ours.update(datapath, nil))
			// The other side first: it must not wait until its own old session turns out to be dead.
			must(t, b.says("cured", a, promptly))
			must(t, a.says("cured too", b, promptly))
		})
	}
}

func TestWireguardHandshakesAreLostBothWays(t *testing.T) {
	a, b := newWireguardPair(t)
	wire := a.record(t)
	a.echo(t)
	b.echo(t)
	ours := a.encrypt(t, b)
	b.encrypt(t, a)
	datapath, _ := a.knowing(b.self)
	must(t, ours.update(datapath, []Fault{{Kind: HandshakeDead}}))
	if a.says("out", b, never) == nil || b.says("in", a, never) == nil {
		t.Error("traffic passes in spite of the fault")
	}
	for _, message := range wire.messages() {
		if message != (wireguardMessage{b.self.IP, 1}) {
			t.Errorf("only the healthy side's initiations should be there, not %v", message)
		}
	}
	if stats := ours.stats().Wireguard[b.self.PublicKey]; stats.Tx == 0 || stats.Rx != 0 || !stats.LastHandshake.IsZero() {
		t.Errorf("the node is to try, and hear nothing: %+v", stats)
	}
}

func TestWireguardLeaksBesideToThePeerOnly(t *testing.T) {
	a, b := newWireguardPair(t)
	wire := a.record(t)
	b.echo(t)
	ours := a.encrypt(t, b)
	b.encrypt(t, a)
	datapath, _ := a.knowing(b.self)

	must(t, ours.update(datapath, []Fault{{Kind: LeakBeside, Peer: "another"}}))
	must(t, a.says("held", b, soon))
	if wire.shows("held") {
		t.Error("another's leak concerns this peer")
	}
	must(t, ours.update(datapath, []Fault{{Kind: LeakBeside, Peer: b.self.Name}}))
	must(t, a.says("leaked", b, soon))
	if !wire.shows("leaked") {
		t.Error("no copy in clear")
	}
	must(t, ours.update(datapath, nil))
	must(t, a.says("mended", b, soon))
	if wire.shows("mended") {
		t.Error("the leak outlasts its fault")
	}
}
