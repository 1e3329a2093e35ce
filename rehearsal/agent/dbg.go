package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wirecloak/rehearsal/agent/wire"
)

// The port of Cilium's WireGuard device, and its name.
const (
	wireguardPort   = 51871
	wireguardDevice = "cilium_wg0"
)

// nodeState is what cilium-dbg may tell of one node, a copy taken under the lock.
type nodeState struct {
	version   string
	config    agentConfig
	publicKey string
	optedOut  bool
	peers     []peer
	spis      []int
	// ciliumNodes is how many there are, this node's own included.
	ciliumNodes int
	// stats is what the wire's encryption counts; nil without a wire.
	stats *wire.Stats
	// clock is how far that of the node is off.
	clock time.Duration
}

type peer struct {
	PublicKey  string   `json:"public-key,omitempty"`
	Endpoint   string   `json:"endpoint,omitempty"`
	AllowedIPs []string `json:"allowed-ips"`
	// Cilium prints a time that was never as Go's zero time, and leaves counters of 0 out.
	LastHandshakeTime string `json:"last-handshake-time,omitempty"`
	TransferRx        int64  `json:"transfer-rx,omitempty"`
	TransferTx        int64  `json:"transfer-tx,omitempty"`
}

// The time of a handshake that never was, and how Cilium prints those that were.
const (
	never           = "0001-01-01T00:00:00.000Z"
	handshakeFormat = "2006-01-02T15:04:05.000Z"
)

// The shapes of Cilium's api/v1/models.
type encryptionStatus struct {
	IPsec     *ipsecStatus     `json:"ipsec,omitempty"`
	Mode      encryptionMode   `json:"mode,omitempty"`
	Msg       string           `json:"msg,omitempty"`
	Wireguard *wireguardStatus `json:"wireguard,omitempty"`
}

type ipsecStatus struct {
	DecryptInterfaces []string         `json:"decrypt-interfaces"`
	ErrorCount        int64            `json:"error-count,omitempty"`
	KeysInUse         int64            `json:"keys-in-use,omitempty"`
	MaxSeqNumber      string           `json:"max-seq-number,omitempty"`
	XfrmErrors        map[string]int64 `json:"xfrm-errors,omitempty"`
}

type wireguardStatus struct {
	Interfaces              []wireguardInterface `json:"interfaces"`
	NodeEncryptOptOutLabels string               `json:"node-encrypt-opt-out-labels,omitempty"`
	NodeEncryption          string               `json:"node-encryption,omitempty"`
}

type wireguardInterface struct {
	ListenPort int64  `json:"listen-port,omitempty"`
	Name       string `json:"name,omitempty"`
	PeerCount  int64  `json:"peer-count,omitempty"`
	Peers      []peer `json:"peers"`
	PublicKey  string `json:"public-key,omitempty"`
}

// ciliumDbg answers a command of the agent's container. The first word may be cilium, its name before 1.15.
func ciliumDbg(argv []string, state nodeState) (stdout, stderr string, exit int) {
	words, asJSON, err := splitArguments(argv[1:])
	if err != nil {
		return "", fmt.Sprintf("Error: %v\n", err), 1
	}
	var text string
	var document any
	switch strings.Join(words, " ") {
	case "status":
		document, text = state.status(), state.statusText()
	case "encrypt status":
		status := state.encryptStatus()
		document, text = status, encryptStatusText(status)
	case "debuginfo":
		document, asJSON = map[string]any{"cilium-version": state.version, "encryption": state.agentEncryption(true)}, true
	case "bpf metrics list":
		if document, text = state.bpfMetrics(); document == nil {
			return "", text, 0
		}
	case "metrics list":
		document, text = state.metrics()
	case "version":
		document = map[string]any{"Client": state.version, "Daemon": state.version}
		text = fmt.Sprintf("Client: %s\nDaemon: %s\n", state.version, state.version)
	default:
		return "", fmt.Sprintf("Error: the rehearsal's agent knows no command %q\n", strings.Join(argv, " ")), 1
	}
	if !asJSON {
		return text, "", 0
	}
	out, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "", err.Error(), 1
	}
	return string(out) + "\n", "", 0
}

func splitArguments(arguments []string) (words []string, asJSON bool, err error) {
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		switch {
		case argument == "-o" || argument == "--output":
			i++
			if i == len(arguments) || arguments[i] != "json" {
				return nil, false, fmt.Errorf("the only output format is json")
			}
			asJSON = true
		case argument == "-o=json" || argument == "-ojson" || argument == "--output=json":
			asJSON = true
		case argument == "--brief" || argument == "--verbose" || strings.HasPrefix(argument, "--all-"):
			// They change how much of the rest is told; the encryption is always told.
		case strings.HasPrefix(argument, "-"):
			return nil, false, fmt.Errorf("unknown flag: %s", argument)
		default:
			words = append(words, argument)
		}
	}
	return words, asJSON, nil
}

// agentEncryption is what the agent says itself: with IPsec only what it was configured to do.
func (s nodeState) agentEncryption(withPeers bool) encryptionStatus {
	status := encryptionStatus{Mode: s.config.mode}
	if s.config.mode == modeWireguard {
		device := s.device()
		if withPeers {
			device.Peers = slices.Clone(s.peers)
		}
		status.Wireguard = &wireguardStatus{
			Interfaces:              []wireguardInterface{device},
			NodeEncryption:          s.nodeEncryption(),
			NodeEncryptOptOutLabels: s.config.optOutLabels,
		}
	}
	return status
}

// encryptStatus is what `encrypt status` reads: since 1.19 the kernel's state, before that the agent's word shortened.
func (s nodeState) encryptStatus() encryptionStatus {
	status := encryptionStatus{Mode: s.config.mode}
	fromKernel := minorOf(s.version) >= 19
	switch s.config.mode {
	case modeWireguard:
		device := s.device()
		if !fromKernel {
			device.ListenPort = 0
		}
		status.Wireguard = &wireguardStatus{Interfaces: []wireguardInterface{device}}
	case modeIPsec:
		keys := s.keysInUse()
		// Where no XFRM state is, as in a cluster of one node, 1.19 and newer leave the part out.
		if keys == 0 && fromKernel {
			break
		}
		status.IPsec = &ipsecStatus{DecryptInterfaces: []string{"eth0"}, KeysInUse: int64(keys), MaxSeqNumber: "N/A"}
		if s.stats != nil {
			status.IPsec.MaxSeqNumber = maxSequence(s.stats.States, minorOf(s.version))
			status.IPsec.XfrmErrors, status.IPsec.ErrorCount = xfrmErrors(s.stats.Errors)
		}
	}
	return status
}

func (s nodeState) device() wireguardInterface {
	return wireguardInterface{Name: wireguardDevice, ListenPort: wireguardPort, PublicKey: s.publicKey, PeerCount: int64(len(s.peers))}
}

// keysInUse: a key for each direction and peer, twice that with tunnels, for each key id loaded (cilium-cli, encrypt/status.go).
// The wire has one state where Cilium has two with tunnels, one for the nodes' addresses and one for those of cilium_host.
func (s nodeState) keysInUse() int {
	keys := 2 * max(0, s.ciliumNodes-1) * len(s.spis)
	if s.stats != nil {
		keys = len(s.stats.States)
	}
	if s.config.tunnel {
		keys *= 2
	}
	return keys
}

func (s nodeState) nodeEncryption() string {
	switch {
	case !s.config.encryptNode:
		return "Disabled"
	case s.optedOut:
		return "OptedOut"
	}
	return "Enabled"
}

func (s nodeState) status() map[string]any {
	return map[string]any{
		"cilium":     map[string]any{"state": "Ok", "msg": s.agentVersion()},
		"kubernetes": map[string]any{"state": "Ok"},
		"cluster":    map[string]any{"ciliumHealth": map[string]any{"state": "Disabled"}},
		"encryption": s.agentEncryption(false),
	}
}

func (s nodeState) agentVersion() string {
	return fmt.Sprintf("%s (v%s-rehearsal)", s.version, s.version)
}

func (s nodeState) statusText() string {
	line := string(s.config.mode)
	if s.config.mode == modeWireguard {
		line += fmt.Sprintf("\t[NodeEncryption: %s, %s (Pubkey: %s, Port: %d, Peers: %d)]",
			s.nodeEncryption(), wireguardDevice, s.publicKey, wireguardPort, len(s.peers))
	}
	return fmt.Sprintf("Kubernetes:\tOk\nCilium:\tOk\t%s\nEncryption:\t%s\n", s.agentVersion(), line)
}

func encryptStatusText(status encryptionStatus) string {
	var text strings.Builder
	if status.Msg != "" {
		fmt.Fprintf(&text, "Msg: %s\n", status.Msg)
	}
	fmt.Fprintf(&text, "Encryption: %-26s\n", status.Mode)
	if ipsec := status.IPsec; ipsec != nil {
		fmt.Fprintf(&text, "Decryption interface(s): %s\nKeys in use: %-26d\nMax Seq. Number: %s\nErrors: %-26d\n",
			strings.Join(ipsec.DecryptInterfaces, ", "), ipsec.KeysInUse, ipsec.MaxSeqNumber, ipsec.ErrorCount)
		for _, name := range slices.Sorted(maps.Keys(ipsec.XfrmErrors)) {
			fmt.Fprintf(&text, "\t%s: %-26d\n", name, ipsec.XfrmErrors[name])
		}
	}
	if status.Wireguard != nil {
		for _, device := range status.Wireguard.Interfaces {
			fmt.Fprintf(&text, "Interface: %s\n\tPublic key: %s\n\tNumber of peers: %d\n", device.Name, device.PublicKey, device.PeerCount)
		}
	}
	return text.String()
}

// minorOf reads the second number of a version: 20 of 1.20.2; 0 where there is none.
func minorOf(version string) int {
	var major, minor int
	fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d", &major, &minor)
	return minor
}
