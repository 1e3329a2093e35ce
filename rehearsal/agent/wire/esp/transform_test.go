package esp

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// Test cases of draft-mcgrew-gcm-test-01, section 4: one of each key length, with and without extended sequence numbers.
// Their payloads carry their trailers.
var knownAnswers = []struct {
	name, key, salt, iv, payload, sealed string
	spi                                  uint32
	sequence                             uint64
	esn                                  bool
}{
	{
		name: "AES-128, extended sequence numbers",
		key:  "4c80cdefbb5d10da906ac73c3613a634", salt: "2e443b68", iv: "4956ed7e3b244cfe",
		spi: 0x00004321, sequence: 0x8765432100000000, esn: true,
		payload: "45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f756470037369700963796265726369747902646b0000210001" +
			"01020201",
		sealed: "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732" +
			"459018148f6cbe722fd04796562dfdb4",
	},
	{
		name: "AES-128",
		key:  "feffe9928665731c6d6a8f9467308308", salt: "cafebabe", iv: "facedbaddecaf888",
		spi: 0x0000a5f8, sequence: 10,
		payload: "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d001000001000000000000037369700963796265726369747902646b0000010001" +
			"0001",
		sealed: "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1" +
			"83b70d3aa8bc6ee4c309e9d85a41ad4a",
	},
	{
		name: "AES-192",
		key:  "feffe9928665731c6d6a8f9467308308feffe9928665731c", salt: "cafebabe", iv: "facedbaddecaf888",
		spi: 0x0000a5f8, sequence: 10,
		payload: "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d07568" +
			"0001",
		sealed: "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77" +
			"95457b9652037f5318027b5b4cd7a636",
	},
	{
		name: "AES-256",
		key:  "abbccddef00112233445566778899aababbccddef00112233445566778899aab", salt: "11223344", iv: "0102030405060708",
		spi: 0x4a2cbfe3, sequence: 2,
		payload: "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b401010402" +
			"01020201",
		sealed: "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f0545659f14e99def842d8e" +
			"b335f4eecfdbf831824b4c4915956c96",
	},
	{
		name: "AES-256, extended sequence numbers",
		key:  "abbccddef00112233445566778899aababbccddef00112233445566778899aab", salt: "73616c74", iv: "616e640169766563",
		spi: 0x17405e67, sequence: 0x156f3126dd0db99b, esn: true,
		payload: "45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d54" +
			"0001",
		sealed: "f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce673119e" +
			"451626c2415771e3b7eebca614c89b35",
	},
}

func TestSealsAndOpensAsTheKnownAnswers(t *testing.T) {
	for _, known := range knownAnswers {
		t.Run(known.name, func(t *testing.T) {
			transform, err := newTransform(known.spi, unhex(t, known.key+known.salt), known.esn)
			if err != nil {
				t.Fatal(err)
			}
			payload := unhex(t, known.payload)
			packet := transform.seal(payload, known.sequence, [ivLength]byte(unhex(t, known.iv)))
			if got, want := packet[headerLength:], unhex(t, known.iv+known.sealed); !bytes.Equal(got, want) {
				t.Errorf("sealed %x, where the known answer is %x", got, want)
			}
			if spi, err := SPI(packet); err != nil || spi != known.spi {
				t.Errorf("SPI %x is sent (%v), where it is %x", spi, err, known.spi)
			}
			if opened, err := transform.open(packet, known.sequence); err != nil || !bytes.Equal(opened, payload) {
				t.Errorf("opened %x (%v), where the known answer is %x", opened, err, payload)
			}
		})
	}
}

func TestRefusesKeyMaterialOfAnotherLength(t *testing.T) {
	for _, length := range []int{0, 16, 19, 21, 32, 40} {
		if _, err := newTransform(3, make([]byte, length), true); err == nil {
			t.Errorf("%d bytes were taken", length)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
