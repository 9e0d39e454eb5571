#include "tests/unit/libpptp/golden.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t
golden_bytes(uint8_t *buf, const char *hex)
{
	size_t len = 0;

	while (*hex != '\0') {
		char digits[3] = {hex[0], hex[1], '\0'};

		if (*hex == ' ') {
			hex++;
		} else if (*hex == '*') {
			size_t end = strtoul(hex + 1, (char **)&hex, 10);

			while (len < end) {
				buf[len] = buf[len - 1];
				len++;
			}
		} else {
			buf[len++] = (uint8_t)strtoul(digits, NULL, 16);
			hex += 2;
		}
	}
	return len;
}

/* length, PPTP message type 1, magic cookie, control message type, reserved */
#define HEADER(length, type) length " 0001 1a2b3c4d " type " 0000 "

const struct golden golden_messages[16] = {
    [PPTP_START_CONTROL_CONNECTION_REQUEST] =
	{
	    .hex = HEADER("009c", "0001") "0100 0000 00000003 00000002 0102 0304 "
					  "68 6f 73 74 00 *92 "
					  "56 45 4e 44 4f 52 00 *156",
	    .msg = {.type = PPTP_START_CONTROL_CONNECTION_REQUEST,
		.start = {.protocol_version = 0x0100,
		    .framing_capabilities = 3,
		    .bearer_capabilities = 2,
		    .maximum_channels = 0x0102,
		    .firmware_revision = 0x0304,
		    .host_name = "host",
		    .vendor_name = "VENDOR"}},
	    .text = "[PPTP Start-Control-Connection-Request <Version 0100> <Framing 3> <Bearer 2> <Max-Channels 258> <Firmware 772> "
		    "<Host \"host\"> <Vendor \"VENDOR\">]",
	},
    [PPTP_START_CONTROL_CONNECTION_REPLY] =
	{
	    .hex = HEADER("009c", "0002") "0100 02 06 00000001 00000003 ffff 0001 "
					  "41 *92 "
					  "42 *156",
	    .msg = {.type = PPTP_START_CONTROL_CONNECTION_REPLY,
		.start = {.protocol_version = 0x0100,
		    .result_code = 2,
		    .error_code = 6,
		    .framing_capabilities = 1,
		    .bearer_capabilities = 3,
		    .maximum_channels = 0xffff,
		    .firmware_revision = 1,
		    .host_name = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    .vendor_name = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"}},
	    .text = "[PPTP Start-Control-Connection-Reply <Version 0100> <Result 2> <Error 6> <Framing 1> <Bearer 3> <Max-Channels 65535> "
		    "<Firmware 1> <Host \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"> "
		    "<Vendor \"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\">]",
	},
    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] =
	{
	    .hex = HEADER("0010", "0003") "03 00 0000",
	    .msg = {.type = PPTP_STOP_CONTROL_CONNECTION_REQUEST, .stop_request = {.reason = 3}},
	    .text = "[PPTP Stop-Control-Connection-Request <Reason 3>]",
	},
    [PPTP_STOP_CONTROL_CONNECTION_REPLY] =
	{
	    .hex = HEADER("0010", "0004") "02 04 0000",
	    .msg = {.type = PPTP_STOP_CONTROL_CONNECTION_REPLY, .stop_reply = {.result_code = 2, .error_code = 4}},
	    .text = "[PPTP Stop-Control-Connection-Reply <Result 2> <Error 4>]",
	},
    [PPTP_ECHO_REQUEST] =
	{
	    .hex = HEADER("0010", "0005") "deadbeef",
	    .msg = {.type = PPTP_ECHO_REQUEST, .echo = {.identifier = 0xdeadbeef}},
	    .text = "[PPTP Echo-Request <Identifier deadbeef>]",
	},
    [PPTP_ECHO_REPLY] =
	{
	    .hex = HEADER("0014", "0006") "01020304 01 00 0000",
	    .msg = {.type = PPTP_ECHO_REPLY, .echo = {.identifier = 0x01020304, .result_code = 1}},
	    .text = "[PPTP Echo-Reply <Identifier 01020304> <Result 1> <Error 0>]",
	},
    [PPTP_OUTGOING_CALL_REQUEST] =
	{
	    .hex = HEADER("00a8", "0007") "4000 0001 0000012c 05f5e100 00000003 00000001 0040 000a 0003 0000 "
					  "31 32 33 00 *104 "
					  "73 75 62 00 *168",
	    .msg = {.type = PPTP_OUTGOING_CALL_REQUEST,
		.outgoing_call_request = {.call_id = 0x4000,
		    .call_serial_number = 1,
		    .minimum_bps = 300,
		    .maximum_bps = 100000000,
		    .bearer_type = 3,
		    .framing_type = 1,
		    .packet_recv_window_size = 64,
		    .packet_processing_delay = 10,
		    .phone_number_length = 3,
		    .phone_number = "123",
		    .subaddress = "sub"}},
	    .text = "[PPTP Outgoing-Call-Request <Call-ID 16384> <Serial 1> <Min-BPS 300> <Max-BPS 100000000> <Bearer 3> <Framing 1> "
		    "<Window 64> <Delay 10> <Phone-Length 3> <Phone \"123\"> <Subaddress \"sub\">]",
	},
    [PPTP_OUTGOING_CALL_REPLY] =
	{
	    .hex = HEADER("0020", "0008") "1234 4000 01 00 0011 05f5e100 0003 0001 00000007",
	    .msg = {.type = PPTP_OUTGOING_CALL_REPLY,
		.outgoing_call_reply = {.call_id = 0x1234,
		    .peer_call_id = 0x4000,
		    .result_code = 1,
		    .cause_code = 17,
		    .connect_speed = 100000000,
		    .packet_recv_window_size = 3,
		    .packet_processing_delay = 1,
		    .physical_channel_id = 7}},
	    .text = "[PPTP Outgoing-Call-Reply <Call-ID 4660> <Peer-Call-ID 16384> <Result 1> <Error 0> <Cause 17> <Speed 100000000> "
		    "<Window 3> <Delay 1> <Channel 7>]",
	},
    [PPTP_INCOMING_CALL_REQUEST] =
	{
	    .hex = HEADER("00dc", "0009") "0005 0006 00000001 00000009 0002 0001 "
					  "34 32 00 *92 "
					  "37 00 *156 "
					  "78 00 *220",
	    .msg = {.type = PPTP_INCOMING_CALL_REQUEST,
		.incoming_call_request = {.call_id = 5,
		    .call_serial_number = 6,
		    .bearer_type = 1,
		    .physical_channel_id = 9,
		    .dialed_number_length = 2,
		    .dialing_number_length = 1,
		    .dialed_number = "42",
		    .dialing_number = "7",
		    .subaddress = "x"}},
	    .text = "[PPTP Incoming-Call-Request <Call-ID 5> <Serial 6> <Bearer 1> <Channel 9> <Dialed-Length 2> <Dialing-Length 1> "
		    "<Dialed \"42\"> <Dialing \"7\"> <Subaddress \"x\">]",
	},
    [PPTP_INCOMING_CALL_REPLY] =
	{
	    .hex = HEADER("0018", "000a") "0007 0005 01 00 0010 0002 0000",
	    .msg = {.type = PPTP_INCOMING_CALL_REPLY,
		.incoming_call_reply =
		    {.call_id = 7, .peer_call_id = 5, .result_code = 1, .packet_recv_window_size = 16, .packet_transmit_delay = 2}},
	    .text = "[PPTP Incoming-Call-Reply <Call-ID 7> <Peer-Call-ID 5> <Result 1> <Error 0> <Window 16> <Delay 2>]",
	},
    [PPTP_INCOMING_CALL_CONNECTED] =
	{
	    .hex = HEADER("001c", "000b") "0007 0000 0000fa00 0008 0003 00000002",
	    .msg = {.type = PPTP_INCOMING_CALL_CONNECTED,
		.incoming_call_connected = {.peer_call_id = 7,
		    .connect_speed = 64000,
		    .packet_recv_window_size = 8,
		    .packet_transmit_delay = 3,
		    .framing_type = 2}},
	    .text = "[PPTP Incoming-Call-Connected <Peer-Call-ID 7> <Speed 64000> <Window 8> <Delay 3> <Framing 2>]",
	},
    [PPTP_CALL_CLEAR_REQUEST] =
	{
	    .hex = HEADER("0010", "000c") "4000 0000",
	    .msg = {.type = PPTP_CALL_CLEAR_REQUEST, .call_clear_request = {.call_id = 0x4000}},
	    .text = "[PPTP Call-Clear-Request <Call-ID 16384>]",
	},
    [PPTP_CALL_DISCONNECT_NOTIFY] =
	{
	    .hex = HEADER("0094", "000d") "1234 04 00 0010 0000 6f 6b 00 *148",
	    .msg = {.type = PPTP_CALL_DISCONNECT_NOTIFY,
		.call_disconnect_notify = {.call_id = 0x1234, .result_code = 4, .cause_code = 16, .call_statistics = "ok"}},
	    .text = "[PPTP Call-Disconnect-Notify <Call-ID 4660> <Result 4> <Error 0> <Cause 16> <Statistics \"ok\">]",
	},
    [PPTP_WAN_ERROR_NOTIFY] =
	{
	    .hex = HEADER("0028", "000e") "4000 0000 00000001 00000002 00000003 00000004 00000005 00000006",
	    .msg = {.type = PPTP_WAN_ERROR_NOTIFY,
		.wan_error_notify = {.peer_call_id = 0x4000,
		    .crc_errors = 1,
		    .framing_errors = 2,
		    .hardware_overruns = 3,
		    .buffer_overruns = 4,
		    .timeout_errors = 5,
		    .alignment_errors = 6}},
	    .text = "[PPTP WAN-Error-Notify <Peer-Call-ID 16384> <CRC 1> <Framing 2> <Hardware 3> <Buffer 4> <Timeout 5> <Alignment 6>]",
	},
    [PPTP_SET_LINK_INFO] =
	{
	    .hex = HEADER("0018", "000f") "1234 0000 ffffffff 000a0000",
	    .msg = {.type = PPTP_SET_LINK_INFO,
		.set_link_info = {.peer_call_id = 0x1234, .send_accm = 0xffffffff, .receive_accm = 0x000a0000}},
	    .text = "[PPTP Set-Link-Info <Peer-Call-ID 4660> <Send-ACCM ffffffff> <Recv-ACCM 000a0000>]",
	},
};
