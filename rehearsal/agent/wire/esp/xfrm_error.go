package esp

// XfrmError is why a packet was dropped, named as the kernel counts it in /proc/net/xfrm_stat, without "Xfrm".
type XfrmError string

const (
	// InHdrError: too short to carry an SPI and a sequence number.
	InHdrError XfrmError = "InHdrError"
	// InNoStates: no association has that SPI.
	InNoStates XfrmError = "InNoStates"
	// InStateProtoError: the integrity check failed, or what was protected is malformed.
	InStateProtoError XfrmError = "InStateProtoError"
	// InStateModeError: what was protected is no IP packet, as tunnel mode wants.
	InStateModeError XfrmError = "InStateModeError"
	// InStateSeqError: the sequence number was received before, or is left of the window.
	InStateSeqError XfrmError = "InStateSeqError"
	// InError: what came out could not be handed on.
	InError XfrmError = "InError"
	// OutError: what was made could not be sent.
	OutError XfrmError = "OutError"
	// OutNoStates: no association to send with.
	OutNoStates XfrmError = "OutNoStates"
	// OutPolBlock: a policy forbids to send.
	OutPolBlock XfrmError = "OutPolBlock"
	// OutStateProtoError: what is to be sent is no IP packet.
	OutStateProtoError XfrmError = "OutStateProtoError"
	// OutStateSeqError: the sequence numbers are used up.
	OutStateSeqError XfrmError = "OutStateSeqError"
)

func (e XfrmError) Error() string { return "dropped by IPsec: " + string(e) }
