package esp

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync"
)

// Counts is what an association has carried.
type Counts struct {
	// Sequence is the last number sent, or the highest received.
	Sequence uint64
	Packets  int64
	// Bytes are those of the packets inside.
	Bytes int64
}

// Options of an association; both sides must agree on ESN.
type Options struct {
	// ESN: extended, 64-bit sequence numbers.
	ESN bool
	// Window against replays, in packets; a receiver's. 64 at least.
	Window uint64
}

// CiliumOptions are what Cilium sets for its associations.
var CiliumOptions = Options{ESN: true, Window: DefaultWindow}

// Outbound is a security association that sends.
type Outbound struct {
	mutex     sync.Mutex
	transform transform
	counts    Counts
	// ivMask makes IVs of sequence numbers.
	ivMask uint64
}

// NewOutbound takes key material as TunnelKey derives it.
func NewOutbound(spi uint32, material []byte, options Options) (*Outbound, error) {
	transform, err := newTransform(spi, material, options.ESN)
	if err != nil {
		return nil, err
	}
	var random [ivLength]byte
	rand.Read(random[:]) // never fails
	return &Outbound{transform: transform, ivMask: binary.BigEndian.Uint64(random[:])}, nil
}

// Seal makes the ESP packet of an IP packet: what follows the outer IP header.
func (o *Outbound) Seal(packet []byte) ([]byte, error) {
	payload, err := withTrailer(packet)
	if err != nil {
		return nil, err
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	last := uint64(math.MaxUint64)
	if !o.transform.esn {
		last = math.MaxUint32
	}
	if o.counts.Sequence == last {
		return nil, OutStateSeqError
	}
	o.counts.Sequence++
	o.counts.Packets++
	o.counts.Bytes += int64(len(packet))
	// An IV must be unique under its key and need not be secret (RFC 4106 section 3.1): the sequence number is unique, and the
	// mask makes it so where the key is used again from number 1 (the kernel's seqiv does the same).
	var iv [ivLength]byte
	binary.BigEndian.PutUint64(iv[:], o.counts.Sequence^o.ivMask)
	return o.transform.seal(payload, o.counts.Sequence, iv), nil
}

// Counts so far.
func (o *Outbound) Counts() Counts {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.counts
}

// Inbound is a security association that receives.
type Inbound struct {
	mutex     sync.Mutex
	transform transform
	window    window
	counts    Counts
}

// NewInbound takes key material as TunnelKey derives it.
func NewInbound(spi uint32, material []byte, options Options) (*Inbound, error) {
	transform, err := newTransform(spi, material, options.ESN)
	if err != nil {
		return nil, err
	}
	return &Inbound{transform: transform, window: newWindow(max(options.Window, blockBits))}, nil
}

// Open checks an ESP packet and gives the IP packet in it; its errors are XfrmErrors.
func (i *Inbound) Open(packet []byte) ([]byte, error) {
	spi, err := SPI(packet)
	if err != nil {
		return nil, err
	}
	if spi != i.transform.spi {
		return nil, InNoStates
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	low := binary.BigEndian.Uint32(packet[4:])
	sequence := uint64(low)
	if i.transform.esn {
		sequence = i.window.extend(low)
	}
	if !i.window.fresh(sequence) {
		return nil, InStateSeqError
	}
	payload, err := i.transform.open(packet, sequence)
	if err != nil {
		return nil, err
	}
	i.window.accept(sequence)
	inner, err := withoutTrailer(payload)
	if err != nil {
		return nil, err
	}
	i.counts.Sequence = i.window.highest
	i.counts.Packets++
	i.counts.Bytes += int64(len(inner))
	return inner, nil
}

// Counts so far.
func (i *Inbound) Counts() Counts {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.counts
}

// SPI of an ESP packet.
func SPI(packet []byte) (uint32, error) {
	if len(packet) < headerLength {
		return 0, InHdrError
	}
	return binary.BigEndian.Uint32(packet), nil
}
