package main

import (
	"fmt"
	"slices"
	"strings"

	"wirecloak/rehearsal/agent/wire"
)

// ipXfrm answers `ip [-s] xfrm state|policy [list|show|count]` of an agent's container, in the form of iproute2, from the live
// state; false for all other commands. Where iproute2 prints keys, this does not.
func ipXfrm(argv []string, state nodeState) (text string, mine bool) {
	words := slices.DeleteFunc(slices.Clone(argv[1:]), func(word string) bool { return strings.HasPrefix(word, "-") })
	if argv[0] != "ip" || len(words) < 2 || words[0] != "xfrm" {
		return "", false
	}
	if len(words) == 3 && words[2] == "count" {
		return xfrmCount(words[1], state), true
	}
	listed := len(words) == 2 || words[2] == "list" || words[2] == "show"
	var out strings.Builder
	switch {
	case state.stats == nil:
	case words[1] == "state" && listed:
		for _, s := range state.stats.States {
			printXfrmState(&out, s, minorOf(state.version) >= 18)
		}
	case words[1] == "policy" && listed:
		for _, s := range state.stats.States {
			printXfrmPolicy(&out, s)
		}
	default:
		return "", false
	}
	return out.String(), true
}

// xfrmCount words it as iproute2 does. Each state has a policy here.
func xfrmCount(of string, state nodeState) string {
	var in, out int
	if state.stats != nil {
		for _, s := range state.stats.States {
			if s.Outbound {
				out++
			} else {
				in++
			}
		}
	}
	if of == "state" {
		return fmt.Sprintf("\t SAD count %d\n", in+out)
	}
	return fmt.Sprintf("\t SPD IN  %d OUT %d FWD 0\n", in, out)
}

// Cilium's marks: encrypt on the way out, decrypt on the way in, with the key's id.
func xfrmMark(s wire.XfrmState) uint32 {
	if s.Outbound {
		return 0xe00 | s.SPI<<12
	}
	return 0xd00
}

func printXfrmState(out *strings.Builder, s wire.XfrmState, extended bool) {
	var sent, received uint64
	if s.Outbound {
		sent = s.Sequence
	} else {
		received = s.Sequence
	}
	fmt.Fprintf(out, "src %s dst %s\n\tproto esp spi 0x%08x(%d) reqid 1(0x00000001) mode tunnel\n", s.Src, s.Dst, s.SPI, s.SPI)
	fmt.Fprintf(out, "\tmark %#x/0xff00\n\taead rfc4106(gcm(aes)) <<key hidden>> 128\n", xfrmMark(s))
	if extended {
		fmt.Fprintf(out, "\tanti-replay esn context:\n\t seq-hi %#x, seq %#x, oseq-hi %#x, oseq %#x\n",
			received>>32, uint32(received), sent>>32, uint32(sent))
	} else {
		fmt.Fprintf(out, "\tanti-replay context: seq %#x, oseq %#x\n", received, sent)
	}
	fmt.Fprintf(out, "\tlifetime current:\n\t  %d(bytes), %d(packets)\n", s.Bytes, s.Packets)
}

func printXfrmPolicy(out *strings.Builder, s wire.XfrmState) {
	direction := "in"
	if s.Outbound {
		direction = "out"
	}
	fmt.Fprintf(out, "src 0.0.0.0/0 dst 0.0.0.0/0\n\tdir %s priority 0\n\tmark %#x/0xff00\n", direction, xfrmMark(s))
	fmt.Fprintf(out, "\ttmpl src %s dst %s\n\t\tproto esp spi 0x%08x(%d) reqid 1 mode tunnel\n", s.Src, s.Dst, s.SPI, s.SPI)
}
