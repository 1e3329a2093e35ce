package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ipsecKey is a key that an agent has loaded.
type ipsecKey struct {
	spi int
	// material is for the wire alone and never told: AES key and salt.
	material []byte
	// bytes is the length of the secret; Cilium refuses to change it while it runs.
	bytes int
	// fingerprint tells two keys apart.
	fingerprint [sha256.Size]byte
}

// aesGCMBytes are AES-128-GCM's: 16 of key, 4 of salt.
const aesGCMBytes = 20

// Highest key id (Cilium: IPsecMaxKeyVersion); 0 is reserved.
const maxSPI = 15

// parseKeyFile reads the file that the Secret is mounted as, in Cilium's own format (pkg/datapath/linux/ipsec):
// "<spi>[+] <aead> <hex> <icv bits>" or "<spi>[+] <auth> <hex> <enc> <hex>". The last line is the key in use.
// Errors name the mistake and never repeat key material.
func parseKeyFile(content string) (ipsecKey, error) {
	var key ipsecKey
	found := false
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		parsed, err := parseKeyLine(line)
		if err != nil {
			return ipsecKey{}, err
		}
		key, found = parsed, true
	}
	if !found {
		return ipsecKey{}, fmt.Errorf("the key file is empty")
	}
	return key, nil
}

func parseKeyLine(line string) (ipsecKey, error) {
	fields := strings.Fields(line)
	if len(fields) != 4 && len(fields) != 5 {
		return ipsecKey{}, fmt.Errorf("the key line has %d fields, where 4 (AEAD) or 5 are allowed", len(fields))
	}
	spi, err := strconv.Atoi(strings.TrimSuffix(fields[0], "+"))
	if err != nil {
		return ipsecKey{}, fmt.Errorf("the key id is no number")
	}
	if spi < 1 || spi > maxSPI {
		return ipsecKey{}, fmt.Errorf("the key id is %d, where 1 to %d are allowed", spi, maxSPI)
	}
	secrets := []string{fields[2]}
	if len(fields) == 4 {
		if !strings.HasPrefix(fields[1], "rfc") {
			return ipsecKey{}, fmt.Errorf("the AEAD's name must begin with rfc")
		}
		if icv := fields[3]; icv != "96" && icv != "128" && icv != "256" {
			return ipsecKey{}, fmt.Errorf("the ICV must be 96, 128 or 256 bits")
		}
	} else {
		secrets = append(secrets, fields[4])
	}
	key := ipsecKey{spi: spi}
	var material []byte
	hash := sha256.New()
	for _, secret := range secrets {
		raw, err := hex.DecodeString(strings.TrimPrefix(secret, "0x"))
		if err != nil {
			return ipsecKey{}, fmt.Errorf("the key is not hexadecimal")
		}
		if len(fields) == 4 && !isGCMLength(len(raw)) {
			return ipsecKey{}, fmt.Errorf("the key has %d bytes, where AES-GCM takes 20, 28 or 36 (key and 4 bytes of salt)", len(raw))
		}
		key.bytes += len(raw)
		hash.Write(raw)
		material = append(material, raw...)
	}
	hash.Write([]byte(fields[1]))
	hash.Sum(key.fingerprint[:0])
	key.material = material
	if len(fields) == 5 {
		// The wire speaks AES-GCM alone, so an authentication and a cipher key stand for one of its keys.
		digest := sha256.Sum256(material)
		key.material = digest[:aesGCMBytes]
	}
	return key, nil
}

// equal: the same id and the same secret. The fingerprint is of all that a line says of its key.
func (k ipsecKey) equal(other ipsecKey) bool {
	return k.spi == other.spi && k.fingerprint == other.fingerprint
}

func isGCMLength(bytes int) bool { return bytes == 20 || bytes == 28 || bytes == 36 }

// nextKey decides what a key watcher does with a changed file: the key to load, or why Cilium keeps the old one.
func nextKey(current ipsecKey, content string) (key ipsecKey, changed bool, err error) {
	key, err = parseKeyFile(content)
	switch {
	case err != nil:
		return current, false, err
	case key.equal(current):
		return current, false, nil
	case key.spi == current.spi:
		return current, false, fmt.Errorf("changing IPSec keys requires incrementing the key id (it is still %d)", key.spi)
	case key.bytes != current.bytes:
		return current, false, fmt.Errorf("the key's length cannot change while the agent runs (%d bytes before, %d now)", current.bytes, key.bytes)
	}
	return key, true, nil
}
