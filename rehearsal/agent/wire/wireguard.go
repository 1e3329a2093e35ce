package wire

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"golang.zx2c4.com/wireguard/device"
)

const (
	// wireguardPort is Cilium's.
	wireguardPort = 51871
	// wireguardMTU leaves room for WireGuard's own bytes on the cable, and holds a pod's largest packet in VXLAN.
	wireguardMTU = cableMTU - wireguardOverhead
)

// wireguard is WireGuard in user space, by the library of the WireGuard project.
type wireguard struct {
	namespace *Namespace
	tun       *wireguardTUN
	bind      *wireguardBind
	engine    *device.Device
	// plain is there from the first LeakBeside on.
	plain *plainSender

	mutex  sync.Mutex
	config wireguardConfig
	// staleKeys are the keys of the fault StaleKey, by peer: the same from the fault's start to its end.
	staleKeys map[string][32]byte
	// ill are the peers, by name, with which a fault keeps the node from speaking, and which.
	ill map[string]FaultKind
}

// newWireguard makes the device and its socket, without a key or peers.
func newWireguard(namespace *Namespace) (encryptor, error) {
	file, err := openTUN(namespace, wireguardDevice, wireguardMTU)
	if err != nil {
		return nil, err
	}
	w := &wireguard{
		namespace: namespace,
		tun:       newWireguardTUN(file),
		bind:      &wireguardBind{namespace: namespace},
		staleKeys: map[string][32]byte{},
	}
	w.engine = device.NewDevice(w.tun, w.bind, &device.Logger{
		Verbosef: device.DiscardLogf,
		Errorf:   func(format string, values ...any) { slog.Debug("wireguard: " + fmt.Sprintf(format, values...)) },
	})
	if err := w.engine.IpcSet(fmt.Sprintf("listen_port=%d\n", wireguardPort)); err != nil {
		w.engine.Close()
		return nil, err
	}
	if err := w.engine.Up(); err != nil {
		w.engine.Close()
		return nil, fmt.Errorf("WireGuard cannot listen on UDP port %d: %w", wireguardPort, err)
	}
	return w, nil
}

func (w *wireguard) device() string { return wireguardDevice }

func (w *wireguard) update(datapath Datapath, faults []Fault) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for peer := range w.staleKeys {
		if !faultFor(faults, StaleKey, peer) {
			delete(w.staleKeys, peer)
		}
	}
	config := wireguardConfigOf(datapath, faults, w.staleKey)
	if err := w.leakBeside(config, faults); err != nil {
		return err
	}
	w.bind.handshakeDead.Store(config.nodesWith(HandshakeDead, faults))
	if err := w.engine.IpcSet(config.since(w.config)); err != nil {
		return fmt.Errorf("WireGuard refuses its configuration: %w", err)
	}
	ill := w.illness(config, faults)
	w.config = config
	w.applyIllness(ill)
	return nil
}

// leakBeside has the TUN device send packets in clear too, to the peers that the fault concerns.
func (w *wireguard) leakBeside(config wireguardConfig, faults []Fault) error {
	var to []netip.Prefix
	for _, peer := range config.peers {
		if faultFor(faults, LeakBeside, peer.name) {
			to = append(to, peer.allowedIPs...)
		}
	}
	if len(to) == 0 {
		w.tun.beside.Store(nil)
		return nil
	}
	if w.plain == nil {
		plain, err := newPlainSender(w.namespace)
		if err != nil {
			return err
		}
		w.plain = plain
	}
	w.tun.beside.Store(&wireguardLeak{to, w.plain.send})
	return nil
}

// illness tells which of the peers ever known are ill by the faults. One that is missing is in no configuration.
func (w *wireguard) illness(next wireguardConfig, faults []Fault) map[string]FaultKind {
	names := slices.Collect(maps.Keys(w.ill))
	for _, config := range []wireguardConfig{w.config, next} {
		for _, peer := range config.peers {
			names = append(names, peer.name)
		}
	}
	ill := map[string]FaultKind{}
	for _, name := range names {
		for _, kind := range []FaultKind{HandshakeDead, StaleKey, PeerMissing} {
			if faultFor(faults, kind, name) {
				ill[name] = kind
			}
		}
	}
	return ill
}

// applyIllness ends the sessions with peers whose handshakes are dead from now on, since a session would last three minutes
// without one; and makes a handshake with peers that a fault leaves, since both sides might else wait for up to 15 seconds.
func (w *wireguard) applyIllness(ill map[string]FaultKind) {
	for key, peer := range w.config.peers {
		live := w.engine.LookupPeer(key)
		if live == nil {
			continue // the node's own key
		}
		if ill[peer.name] == HandshakeDead && w.ill[peer.name] != HandshakeDead {
			live.ZeroAndFlushAll()
		}
		if ill[peer.name] == "" && w.ill[peer.name] != "" {
			// Without this the library would wait 5 seconds from its last try.
			live.ExpireCurrentKeypairs()
			_ = live.SendHandshakeInitiation(false)
		}
	}
	w.ill = ill
}

// staleKey is a public key that no node has.
func (w *wireguard) staleKey(peer string) [32]byte {
	if _, known := w.staleKeys[peer]; !known {
		// crypto/rand ends the program sooner than it gives an error.
		private, _ := ecdh.X25519().GenerateKey(rand.Reader)
		w.staleKeys[peer] = [32]byte(private.PublicKey().Bytes())
	}
	return w.staleKeys[peer]
}

func (w *wireguard) stats() Stats {
	uapi, err := w.engine.IpcGet()
	if err != nil {
		return Stats{}
	}
	return Stats{Wireguard: parseWireguardStats(uapi)}
}

// close ends the device too.
func (w *wireguard) close() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.engine.Close()
	if w.plain != nil {
		return w.plain.close()
	}
	return nil
}
