package esp

// Next header numbers of tunnel mode.
const (
	nextHeaderIPv4 = 4
	nextHeaderIPv6 = 41
)

// withTrailer appends padding, its length and the next header to an IP packet, so that they end on a word (RFC 4303 2.4 to 2.6).
func withTrailer(packet []byte) ([]byte, error) {
	next, err := nextHeader(packet)
	if err != nil {
		return nil, err
	}
	padding := (4 - (len(packet)+2)%4) % 4
	payload := make([]byte, len(packet), len(packet)+padding+2)
	copy(payload, packet)
	for i := range padding {
		payload = append(payload, byte(i+1))
	}
	return append(payload, byte(padding), next), nil
}

// withoutTrailer is the IP packet in a payload.
func withoutTrailer(payload []byte) ([]byte, error) {
	if len(payload) < 2 {
		return nil, InStateProtoError
	}
	end := len(payload) - 2
	padding, next := int(payload[end]), payload[end+1]
	if padding > end {
		return nil, InStateProtoError
	}
	packet := payload[:end-padding]
	if found, err := nextHeader(packet); err != nil || found != next {
		return nil, InStateModeError
	}
	return packet, nil
}

// nextHeader is the number of the IP version that a packet has.
func nextHeader(packet []byte) (byte, error) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return nextHeaderIPv4, nil
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return nextHeaderIPv6, nil
	}
	return 0, OutStateProtoError
}
