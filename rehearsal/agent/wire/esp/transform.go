// Package esp is IPsec's Encapsulating Security Payload (RFC 4303) in tunnel mode with AES-GCM (RFC 4106), as Cilium
// configures the kernel's: 16 bytes of integrity check value, extended sequence numbers, a window against replays.
package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

const (
	saltLength   = 4
	ivLength     = 8
	icvLength    = 16
	headerLength = 8 // SPI and the lower half of the sequence number
)

// transform is RFC 4106 with one key: everything of an association that does not change with its packets.
type transform struct {
	spi  uint32
	salt [saltLength]byte
	aead cipher.AEAD
	// esn: 64-bit sequence numbers, of which the lower half is sent (RFC 4303 2.2.1).
	esn bool
}

// newTransform takes key material as the key file has it: an AES key of 128, 192 or 256 bits, and then the salt.
func newTransform(spi uint32, material []byte, esn bool) (transform, error) {
	if len(material) != 20 && len(material) != 28 && len(material) != 36 {
		return transform{}, fmt.Errorf("the key material has %d bytes, where AES-GCM takes 20, 28 or 36 (key and 4 bytes of salt)", len(material))
	}
	split := len(material) - saltLength
	block, err := aes.NewCipher(material[:split])
	if err != nil {
		return transform{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return transform{}, err
	}
	return transform{spi, [saltLength]byte(material[split:]), aead, esn}, nil
}

// seal makes the ESP packet of a payload that has its trailer already.
func (t transform) seal(payload []byte, sequence uint64, iv [ivLength]byte) []byte {
	packet := make([]byte, headerLength+ivLength, headerLength+ivLength+len(payload)+icvLength)
	binary.BigEndian.PutUint32(packet, t.spi)
	binary.BigEndian.PutUint32(packet[4:], uint32(sequence))
	copy(packet[headerLength:], iv[:])
	return t.aead.Seal(packet, t.nonce(iv[:]), payload, t.additional(sequence))
}

// open checks and decrypts an ESP packet whose whole sequence number the receiver has worked out.
func (t transform) open(packet []byte, sequence uint64) ([]byte, error) {
	if len(packet) < headerLength+ivLength+icvLength {
		return nil, InStateProtoError
	}
	iv, protected := packet[headerLength:headerLength+ivLength], packet[headerLength+ivLength:]
	payload, err := t.aead.Open(nil, t.nonce(iv), protected, t.additional(sequence))
	if err != nil {
		return nil, InStateProtoError
	}
	return payload, nil
}

// nonce is salt and IV (RFC 4106 section 4).
func (t transform) nonce(iv []byte) []byte { return append(t.salt[:len(t.salt):len(t.salt)], iv...) }

// additional is what the integrity check covers besides the ciphertext (RFC 4106 section 5): the SPI and the sequence number,
// of an extended one also the half that is not sent.
func (t transform) additional(sequence uint64) []byte {
	data := binary.BigEndian.AppendUint32(make([]byte, 0, 12), t.spi)
	if t.esn {
		return binary.BigEndian.AppendUint64(data, sequence)
	}
	return binary.BigEndian.AppendUint32(data, uint32(sequence))
}
