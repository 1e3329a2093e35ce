package main

import (
	"strings"
	"testing"
)

var (
	aes128 = strings.Repeat("ab", 20)
	aes256 = strings.Repeat("cd", 36)
)

func TestKeyLineIsReadAsCiliumReadsIt(t *testing.T) {
	for _, c := range []struct {
		name, content string
		spi, bytes    int
		wrong         string
	}{
		{name: "AES-128-GCM", content: "3+ rfc4106(gcm(aes)) " + aes128 + " 128", spi: 3, bytes: 20},
		{name: "AES-256-GCM", content: "15+ rfc4106(gcm(aes)) " + aes256 + " 128\n", spi: 15, bytes: 36},
		{name: "without plus", content: "1 rfc4106(gcm(aes)) " + aes128 + " 128", spi: 1, bytes: 20},
		{name: "0x before the key", content: "1+ rfc4106(gcm(aes)) 0x" + aes128 + " 128", spi: 1, bytes: 20},
		{name: "auth and encryption apart", content: "2+ hmac(sha256) abcd cbc(aes) ef01", spi: 2, bytes: 4},
		{name: "the last line counts", content: "3+ rfc4106(gcm(aes)) " + aes128 + " 128\n4+ rfc4106(gcm(aes)) " + aes128 + " 128", spi: 4, bytes: 20},
		{name: "empty", content: "\n", wrong: "empty"},
		{name: "id 0", content: "0+ rfc4106(gcm(aes)) " + aes128 + " 128", wrong: "1 to 15"},
		{name: "id 16", content: "16+ rfc4106(gcm(aes)) " + aes128 + " 128", wrong: "1 to 15"},
		{name: "id no number", content: "3x rfc4106(gcm(aes)) " + aes128 + " 128", wrong: "no number"},
		{name: "key size where the ICV belongs", content: "3+ rfc4106(gcm(aes)) " + aes256 + " 192", wrong: "ICV"},
		{name: "no salt", content: "3+ rfc4106(gcm(aes)) " + strings.Repeat("ab", 16) + " 128", wrong: "16 bytes"},
		{name: "not hexadecimal", content: "3+ rfc4106(gcm(aes)) " + strings.Repeat("xy", 20) + " 128", wrong: "hexadecimal"},
		{name: "no AEAD", content: "3+ gcm " + aes128 + " 128", wrong: "rfc"},
		{name: "fields missing", content: "3+ " + aes128, wrong: "fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := parseKeyFile(c.content)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("error %v, wanted one about %q", err, c.wrong)
				}
				if strings.Contains(err.Error(), aes128) || strings.Contains(err.Error(), aes256) {
					t.Fatal("the error repeats the key")
				}
				return
			}
			if err != nil || key.spi != c.spi || key.bytes != c.bytes {
				t.Fatalf("read id %d with %d bytes (%v), wanted %d with %d", key.spi, key.bytes, err, c.spi, c.bytes)
			}
		})
	}
}

func TestKeyWatcherTakesOnlyANewIdOfTheSameLength(t *testing.T) {
	current, err := parseKeyFile("3+ rfc4106(gcm(aes)) " + aes128 + " 128")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("12", 20)
	for _, c := range []struct {
		name, content string
		changed       bool
		wrong         string
	}{
		{name: "next id", content: "4+ rfc4106(gcm(aes)) " + other + " 128", changed: true},
		{name: "the same file", content: "3+ rfc4106(gcm(aes)) " + aes128 + " 128"},
		{name: "same id, other key", content: "3+ rfc4106(gcm(aes)) " + other + " 128", wrong: "incrementing the key id"},
		{name: "other length", content: "4+ rfc4106(gcm(aes)) " + aes256 + " 128", wrong: "length"},
		{name: "unreadable", content: "nonsense", wrong: "fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, changed, err := nextKey(current, c.content)
			if (err != nil) != (c.wrong != "") || (err != nil && !strings.Contains(err.Error(), c.wrong)) {
				t.Fatalf("error %v, wanted one about %q", err, c.wrong)
			}
			if changed != c.changed || (!changed && !key.equal(current)) {
				t.Fatalf("changed %v to id %d", changed, key.spi)
			}
		})
	}
}
