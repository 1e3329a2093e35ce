package main

import (
	"fmt"
	"strings"
	"time"
)

// wgShow answers `wg` and `wg show [all|cilium_wg0] [dump]` of an agent's container from the live state; false for all
// other commands. The private key is hidden in every form.
func wgShow(argv []string, state nodeState, now time.Time) (text string, mine bool) {
	words := argv[1:]
	if argv[0] != "wg" || len(words) > 3 || (len(words) > 0 && words[0] != "show") {
		return "", false
	}
	if state.config.mode != modeWireguard {
		return "", true
	}
	device, form := "all", ""
	if len(words) > 1 {
		device = words[1]
	}
	if len(words) > 2 {
		form = words[2]
	}
	switch {
	case device == "interfaces" && form == "":
		return wireguardDevice + "\n", true
	case device != "all" && device != wireguardDevice:
		return "", false
	case form == "dump" && device == "all":
		return wgDump(state, wireguardDevice+"\t"), true
	case form == "dump":
		return wgDump(state, ""), true
	case form == "":
		return wgText(state, now), true
	}
	return "", false
}

func wgDump(state nodeState, prefix string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s(hidden)\t%s\t%d\t%#x\n", prefix, state.publicKey, wireguardPort, 0xe00)
	for _, p := range state.peers {
		var handshake int64
		if at, ok := p.handshake(); ok {
			handshake = at.Unix()
		}
		fmt.Fprintf(&out, "%s%s\t(none)\t%s\t%s\t%d\t%d\t%d\toff\n", prefix, p.PublicKey, p.Endpoint,
			strings.Join(p.AllowedIPs, ","), handshake, p.TransferRx, p.TransferTx)
	}
	return out.String()
}

func wgText(state nodeState, now time.Time) string {
	var out strings.Builder
	fmt.Fprintf(&out, "interface: %s\n  public key: %s\n  private key: (hidden)\n  listening port: %d\n  fwmark: %#x\n",
		wireguardDevice, state.publicKey, wireguardPort, 0xe00)
	for _, p := range state.peers {
		fmt.Fprintf(&out, "\npeer: %s\n  endpoint: %s\n  allowed ips: %s\n", p.PublicKey, p.Endpoint, strings.Join(p.AllowedIPs, ", "))
		if at, ok := p.handshake(); ok {
			fmt.Fprintf(&out, "  latest handshake: %d seconds ago\n  transfer: %d B received, %d B sent\n",
				int(now.Sub(at).Seconds()), p.TransferRx, p.TransferTx)
		}
	}
	return out.String()
}

// handshake is when the last one was; false where there was none.
func (p peer) handshake() (time.Time, bool) {
	at, err := time.Parse(handshakeFormat, p.LastHandshakeTime)
	return at, err == nil && p.LastHandshakeTime != never
}
