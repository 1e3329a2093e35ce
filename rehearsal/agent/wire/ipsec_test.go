package wire

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	"wirecloak/rehearsal/agent/wire/esp"
)

func TestIPsecCarriesPacketsUnread(t *testing.T) {
	for _, length := range []int{20, 36} {
		a, b := newIPsecPair(t)
		wire := a.record(t)
		// Without encryption the recording shows the text: it can see what it is asked for.
		must(t, a.says("in clear", b.wireguardSide, soon))
		if !wire.shows("in clear") {
			t.Fatal("the recording misses a text that passed in clear")
		}

		ours, theirs := a.encrypt(t, b, ipsecKey(3, length)), b.encrypt(t, a, ipsecKey(3, length))
		must(t, a.says("not in clear", b.wireguardSide, soon))
		// More than fits into one packet.
		must(t, a.says(strings.Repeat("not in clear ", 4_000), b.wireguardSide, soon))
		if wire.shows("not in clear") {
			t.Error("an encrypted text passed in clear")
		}
		last := map[string]uint32{}
		for _, frame := range wire.esp() {
			from := frame.from.String()
			if frame.spi != 3 || frame.inVXLAN || frame.sequence <= last[from] {
				t.Fatalf("after number %d: %+v", last[from], frame)
			}
			last[from] = frame.sequence
		}
		sent, received := ours.stats(), theirs.stats()
		if len(sent.States) != 2 || len(received.States) != 2 || len(sent.Errors)+len(received.Errors) != 0 {
			t.Fatalf("sender %+v, receiver %+v", sent, received)
		}
		for i, state := range sent.States {
			other := received.States[i]
			other.Outbound = !other.Outbound
			if state != other || state.Packets == 0 || state.Sequence != uint64(state.Packets) || state.Bytes < 52_000 {
				t.Errorf("sender %+v, receiver %+v", state, received.States[i])
			}
		}
	}
}

func TestIPsecRotatesItsKeyWithoutLoss(t *testing.T) {
	a, b := newIPsecPair(t)
	old, both, new := []IPsecKey{ipsecKey(15, 20)}, []IPsecKey{ipsecKey(15, 20), ipsecKey(1, 20)}, []IPsecKey{ipsecKey(1, 20)}
	ours, theirs := a.encrypt(t, b, old...), b.encrypt(t, a, old...)
	step := func(encryptor *ipsec, self ipsecSide, keys []IPsecKey, other ipsecSide, announced uint32) {
		t.Helper()
		must(t, encryptor.update(ipsecBetween(self.announcing(0), keys, other.announcing(announced)), nil))
		must(t, a.says("still there", b.wireguardSide, soon))
	}
	must(t, a.says("before", b.wireguardSide, soon))
	step(ours, a, both, b, 15)
	step(theirs, b, both, a, 15)
	must(t, ours.update(ipsecBetween(a.announcing(0), both, b.announcing(1)), nil))
	// Only now: the end of the connection before may still have gone with it.
	oldState := stateOf(t, ours, 15)
	must(t, a.says("still there", b.wireguardSide, soon))
	if now := stateOf(t, ours, 1); now.Sequence == 0 {
		t.Errorf("both sides are at 1, and nothing is sent with it: %+v", now)
	}
	if now := stateOf(t, ours, 15); now != oldState || now.Sequence == 0 {
		t.Errorf("the old state is %+v, and was %+v", now, oldState)
	}
	step(theirs, b, both, a, 1)
	step(ours, a, new, b, 1)
	step(theirs, b, new, a, 1)
	for _, stats := range []Stats{ours.stats(), theirs.stats()} {
		if len(stats.Errors) != 0 || len(stats.States) != 2 {
			t.Errorf("%+v", stats)
		}
	}
}

// stateOf is the outbound state with that key id.
func stateOf(t *testing.T, encryptor *ipsec, spi uint32) XfrmState {
	t.Helper()
	for _, state := range encryptor.stats().States {
		if state.Outbound && state.SPI == spi {
			return state
		}
	}
	t.Fatalf("no outbound state with key id %d: %+v", spi, encryptor.stats().States)
	return XfrmState{}
}

func TestIPsecFaultsAreCountedAsTheKernelWould(t *testing.T) {
	for _, c := range []struct {
		kind   FaultKind
		passes bool
		// ours counts, and the peer counts; nothing else.
		ours, peer string
	}{
		{WrongSPI, false, "", "InNoStates"},
		{ReplayESP, true, "", "InStateSeqError"},
		{CorruptESP, true, "", "InStateProtoError"},
		{PeerMissing, false, "OutPolBlock", ""},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			a, b := newIPsecPair(t)
			key := ipsecKey(3, 20)
			ours, theirs := a.encrypt(t, b, key), b.encrypt(t, a, key)
			datapath := a.knowing([]IPsecKey{key}, b)

			must(t, ours.update(datapath, []Fault{{Kind: c.kind, Peer: "another"}}))
			must(t, a.says("another's fault", b.wireguardSide, soon))
			if errors := ours.stats().Errors; len(errors) != 0 {
				t.Errorf("another's fault: %v", errors)
			}

			must(t, ours.update(datapath, []Fault{{Kind: c.kind, Peer: "node-2"}}))
			wait := never
			if c.passes {
				wait = soon
			}
			if err := a.says("ill", b.wireguardSide, wait); (err == nil) != c.passes {
				t.Errorf("passes: %v", err)
			}
			for _, side := range []struct {
				name   string
				errors map[string]int64
				want   string
			}{{"the ill node", ours.stats().Errors, c.ours}, {"its peer", theirs.stats().Errors, c.peer}} {
				counted := maps.Clone(side.errors)
				delete(counted, side.want)
				if c.kind == PeerMissing {
					delete(counted, "InNoStates") // what the peer still had to say
				}
				if len(counted) != 0 || (side.want != "" && side.errors[side.want] == 0) {
					t.Errorf("%s counts %v, where %q alone was expected", side.name, side.errors, side.want)
				}
			}

			must(t, ours.update(datapath, nil))
			must(t, a.says("cured", b.wireguardSide, soon))
		})
	}
}

func TestIPsecSendsNothingWhereItCannotEncrypt(t *testing.T) {
	for name, c := range map[string]struct {
		own, announced uint32
		want           string
	}{
		"the peer has none of our keys": {4, 3, "OutNoStates"},
		"the peer announces none":       {4, 0, "OutPolBlock"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newIPsecPair(t)
			wire := a.record(t)
			ours := a.encrypt(t, b, ipsecKey(c.own, 20))
			must(t, ours.update(ipsecBetween(a.announcing(c.own), []IPsecKey{ipsecKey(c.own, 20)}, b.announcing(c.announced)), nil))
			if a.says("nothing", b.wireguardSide, never) == nil {
				t.Error("it passes")
			}
			if errors := ours.stats().Errors; errors[c.want] == 0 || len(errors) != 1 {
				t.Errorf("counted are %v, where %s was expected", errors, c.want)
			}
			if frames := wire.esp(); len(frames) != 0 {
				t.Errorf("sent is %+v", frames)
			}
		})
	}
}

func TestIPsecRefusesWhatAnotherKeyOrNoKeySealed(t *testing.T) {
	a, b := newIPsecPair(t)
	key, other := ipsecKey(3, 20), ipsecKey(3, 20)
	other.Material[0]++
	a.encrypt(t, b, key)
	theirs := b.encrypt(t, a, key)
	must(t, a.says("healthy", b.wireguardSide, soon))
	must(t, theirs.update(b.knowing([]IPsecKey{other}, a), nil))
	if a.says("nothing", b.wireguardSide, never) == nil {
		t.Error("it passes")
	}
	if errors := theirs.stats().Errors; errors["InStateProtoError"] == 0 || len(errors) != 1 {
		t.Errorf("another key: %v", errors)
	}
	must(t, theirs.update(b.knowing([]IPsecKey{ipsecKey(4, 20)}, a), nil))
	if a.says("nothing", b.wireguardSide, never) == nil {
		t.Error("it passes")
	}
	if errors := theirs.stats().Errors; errors["InNoStates"] == 0 {
		t.Errorf("no key of that id: %v", errors)
	}
}

func TestIPsecCountsWhatFitsNoPeerButNotTheKernelsOwnTalk(t *testing.T) {
	encryptor := &ipsec{}
	for destination, want := range map[string]error{
		"10.244.9.9": esp.OutPolBlock,
		"172.30.0.9": esp.OutPolBlock,
		"224.0.0.22": nil,
		"ff02::2":    nil,
		"fe80::1":    nil,
	} {
		address := netip.MustParseAddr(destination)
		packet := append(anyPacket()[:16], address.AsSlice()...)
		if address.Is6() {
			packet = append(append([]byte{0x60}, make([]byte, 23)...), address.AsSlice()...)
		}
		if err := encryptor.send(packet); err != want {
			t.Errorf("%s: %v, where %v was expected", destination, err, want)
		}
	}
}
