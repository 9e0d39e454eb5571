#!/bin/bash
# Calls and their ids through the gateway: everything a control connection may hold, between scripted peers behind masquerading.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 55
alg_topology
violations() { alg_json counters .violations; }

translator pptpalg 'ports = {1723, 11723}' 'strict = true' 'random-ids = true' 'id-rest = "1s"'

# --- ids ----------------------------------------------------------------------------------------------------------

ok "two clients with the same call id at one server: it sees two" talk <<END
$(ends)
$(connection c1 s1)
$(connection d1 s2)
$(outgoing c1 16384 s1 100)
d1 sends OCRQ <Call-ID 16384>
s2 gets OCRQ <Call-ID ?d1_at_s2>
s2 sends OCRP <Call-ID 200> <Peer-Call-ID @d1_at_s2>
d1 gets OCRP <Call-ID ?s2_at_d1> <Peer-Call-ID 16384>
$(data c1 16384 s1 100 192.0.2.254)
$(data d1 16384 s2 200 192.0.2.254)
END
isnt "they differ" "$(tell c1_at_s1)" "$(tell d1_at_s2)"
ok "another connection of the first one" talk <<END
$(connection c2 s3)
$(outgoing c2 16385 s3 300)
$(data c2 16385 s3 300)
$(data c1 16384 s1 100)
END
ok "the same id for two servers" talk <<END
$(ends)
X in $ext at 192.0.2.3
X listens
$(connection c1 s1)
$(connection c2 third 192.0.2.3 X)
$(outgoing c1 7 s1 9)
$(outgoing c2 7 third 9)
$(data c1 7 s1 9)
$(data c2 7 third 9)
END
ok "the ids of Set-Link-Info, WAN-Error-Notify, Call-Clear-Request and Call-Disconnect-Notify, called by the client" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
c1 sends SLI <Peer-Call-ID @s1_at_c1> <Send-ACCM 0xffffffff> <Recv-ACCM 0x000a0000>
s1 gets SLI <Peer-Call-ID 9> <Send-ACCM 0xffffffff> <Recv-ACCM 0x000a0000>
s1 sends WEN <Peer-Call-ID @c1_at_s1> <CRC 3>
c1 gets WEN <Peer-Call-ID 7> <CRC 3>
$(data c1 7 s1 9)
c1 sends CCRQ <Call-ID 7>
s1 gets CCRQ <Call-ID @c1_at_s1>
s1 sends CDN <Call-ID 9> <Result 4>
c1 gets CDN <Call-ID @s1_at_c1> <Result 4>
END
ok "no GRE passes after that" talk <<END
s1 gre @c1_at_s1 fades from c1
c1 gre @s1_at_c1 fades from s1
END
ok "the same, called by the server (incoming call)" talk <<END
$(ends)
$(connection c1 s1)
s1 sends ICRQ <Call-ID 9> <Dialed 123>
c1 gets ICRQ <Call-ID ?sid> <Dialed 123>
c1 sends ICRP <Call-ID 7> <Peer-Call-ID @sid>
s1 gets ICRP <Call-ID ?cid> <Peer-Call-ID 9>
s1 sends ICCN <Peer-Call-ID @cid>
c1 gets ICCN <Peer-Call-ID 7>
c1 sends SLI <Peer-Call-ID @sid>
s1 gets SLI <Peer-Call-ID 9>
s1 sends WEN <Peer-Call-ID @cid>
c1 gets WEN <Peer-Call-ID 7>
c1 gre @sid reaches s1 as 9
s1 gre @cid reaches c1 as 7
s1 sends CDN <Call-ID 9> <Result 1>
c1 gets CDN <Call-ID @sid> <Result 1>
s1 gre @cid fades from c1
END
ok "the client as PAC: an incoming call" talk <<END
$(ends)
$(connection c1 s1)
c1 sends ICRQ <Call-ID 7> <Dialing 555>
s1 gets ICRQ <Call-ID ?cid> <Dialing 555>
s1 sends ICRP <Call-ID 9> <Peer-Call-ID @cid>
c1 gets ICRP <Call-ID ?sid> <Peer-Call-ID 7>
c1 sends ICCN <Peer-Call-ID @sid>
s1 gets ICCN <Peer-Call-ID 9>
s1 sends SLI <Peer-Call-ID @cid>
c1 gets SLI <Peer-Call-ID 7>
c1 sends WEN <Peer-Call-ID @sid>
s1 gets WEN <Peer-Call-ID 9>
c1 gre @sid reaches s1 as 9
s1 gre @cid reaches c1 as 7
END
ok "and an outgoing call on the same connection, asked for by the server, ended by it" talk <<END
s1 sends OCRQ <Call-ID 10>
c1 gets OCRQ <Call-ID ?sid2>
c1 sends OCRP <Call-ID 8> <Peer-Call-ID @sid2>
s1 gets OCRP <Call-ID ?cid2> <Peer-Call-ID 10>
c1 gre @sid2 reaches s1 as 10
s1 gre @cid2 reaches c1 as 8
s1 sends CCRQ <Call-ID 10>
c1 gets CCRQ <Call-ID @sid2>
c1 sends CDN <Call-ID 8> <Result 4>
s1 gets CDN <Call-ID @cid2>
s1 gre @cid2 fades from c1
s1 gre @cid reaches c1 as 7
END
ok "three calls on one connection, answered in another order" talk <<END
$(ends)
$(connection c1 s1)
c1 sends OCRQ <Call-ID 1>
c1 sends OCRQ <Call-ID 2>
c1 sends OCRQ <Call-ID 3>
s1 gets OCRQ <Call-ID ?x1>
s1 gets OCRQ <Call-ID ?x2>
s1 gets OCRQ <Call-ID ?x3>
s1 sends OCRP <Call-ID 13> <Peer-Call-ID @x3> + OCRP <Call-ID 11> <Peer-Call-ID @x1>
c1 gets OCRP <Call-ID ?y3> <Peer-Call-ID 3>
c1 gets OCRP <Call-ID ?y1> <Peer-Call-ID 1>
s1 sends OCRP <Call-ID 12> <Peer-Call-ID @x2> <Result 4>
c1 gets OCRP <Peer-Call-ID 2> <Result 4>
c1 gre @y1 reaches s1 as 11
c1 gre @y3 reaches s1 as 13
s1 gre @x1 reaches c1 as 1
s1 gre @x3 reaches c1 as 3
s1 gre @x2 misses c1
END
ok "sixty calls at once on one connection" talk <<END
$(for i in $(seq 101 160); do sed "s/c1_at_s1/c$i/g; s/s1_at_c1/s$i/g" <<<"$(outgoing c1 "$i" s1 "$((i + 200))")"; done)
$(for i in $(seq 101 160); do printf 'c1 gre @s%d reaches s1 as %d\ns1 gre @c%d reaches c1 as %d\n' "$i" $((i + 200)) "$i" "$i"; done)
END
ok "one of them cleared, the other lives" talk <<END
c1 sends CCRQ <Call-ID 3>
s1 gets CCRQ <Call-ID @x3>
s1 sends CDN <Call-ID 13>
c1 gets CDN <Call-ID @y3>
s1 gre @x3 fades from c1
s1 gre @x1 reaches c1 as 1
c1 gre @y1 reaches s1 as 11
END
ok "Stop-Control-Connection ends the calls" talk <<END
c1 sends StopCCRQ <Reason 1>
s1 gets StopCCRQ <Reason 1>
s1 sends StopCCRP
c1 gets StopCCRP
s1 gre @x1 fades from c1
c1 closes
s1 gets end
END
ok "both ends start at once, and call each other" talk <<END
$(ends)
c1 connects 192.0.2.1
s1 accepts L
c1 sends SCCRQ
s1 sends SCCRQ
s1 gets SCCRQ
c1 gets SCCRQ
s1 sends SCCRP
c1 gets SCCRP
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
END
ok "Echo goes through from both ends" talk <<END
c1 sends EchoRQ <Identifier 0x01020304>
s1 gets EchoRQ <Identifier 0x01020304>
s1 sends EchoRP <Identifier 0x01020304> + EchoRQ <Identifier 0xa0b0c0d0>
c1 gets EchoRP <Identifier 0x01020304>
c1 gets EchoRQ <Identifier 0xa0b0c0d0>
c1 sends EchoRP <Identifier 0xa0b0c0d0>
s1 gets EchoRP <Identifier 0xa0b0c0d0>
END
ok "fields that are none of ours come through as they are" talk <<END
c1 sends OCRQ <Call-ID 70> <Serial 4711> <Min-BPS 300> <Max-BPS 100000000> <Bearer 3> <Framing 2> <Window 64> <Delay 5> <Phone 0123456789> <Subaddress x>
s1 gets OCRQ <Serial 4711> <Min-BPS 300> <Max-BPS 100000000> <Bearer 3> <Framing 2> <Window 64> <Delay 5> <Phone-Length 10> <Phone 0123456789> <Subaddress x>
END

ok "so do fields that should be 0" talk <<END
c1 sends hex 001000011a2b3c4d0005ffff00000007
s1 gets hex 001000011a2b3c4d0005ffff00000007
END
ok "the lowest and the highest id" talk <<END
$(ends)
$(connection c1 s1)
$(connection c2 s2)
$(outgoing c1 0 s1 65535)
$(outgoing c2 65535 s2 0)
$(data c1 0 s1 65535)
$(data c2 65535 s2 0)
END
ok "a third host with these ids reaches nobody" talk <<END
third gre @c1_at_s1 to 192.0.2.254 misses c1
third gre @s1_at_c1 to 192.0.2.1 misses c1
END

# --- segments ---------------------------------------------------------------------------------------------------------

ok "every message byte by byte" talk <<END
$(ends)
c1 connects 192.0.2.1
s1 accepts L
c1 sends SCCRQ bytewise
s1 gets SCCRQ
s1 sends SCCRP bytewise
c1 gets SCCRP
c1 sends OCRQ <Call-ID 7> bytewise
s1 gets OCRQ <Call-ID ?c1_at_s1>
s1 sends OCRP <Call-ID 9> <Peer-Call-ID @c1_at_s1> bytewise
c1 gets OCRP <Call-ID ?s1_at_c1> <Peer-Call-ID 7>
$(data c1 7 s1 9)
END
ok "a whole conversation in one segment, cut in the middle of a header and of an id" talk <<END
c1 sends EchoRQ <Identifier 1> + OCRQ <Call-ID 8> + SLI <Peer-Call-ID @s1_at_c1> + EchoRQ <Identifier 2> split 5 24
s1 gets EchoRQ <Identifier 1>
s1 gets OCRQ <Call-ID ?x8>
s1 gets SLI <Peer-Call-ID 9>
s1 gets EchoRQ <Identifier 2>
s1 sends EchoRP <Identifier 1> + OCRP <Call-ID 10> <Peer-Call-ID @x8> + EchoRP <Identifier 2> + WEN <Peer-Call-ID @x8> split 33
c1 gets EchoRP <Identifier 1>
c1 gets OCRP <Call-ID ?y8> <Peer-Call-ID 8>
c1 gets EchoRP <Identifier 2>
c1 gets WEN <Peer-Call-ID 8>
c1 gre @y8 reaches s1 as 10
END
ok "a client that says all at once, before any answer" talk <<END
$(ends)
c1 connects 192.0.2.1
c1 sends SCCRQ + OCRQ <Call-ID 7>
s1 accepts L
s1 gets SCCRQ
s1 gets OCRQ <Call-ID ?c1_at_s1>
s1 sends SCCRP + OCRP <Call-ID 9> <Peer-Call-ID @c1_at_s1> + CDN <Call-ID 9>
c1 gets SCCRP
c1 gets OCRP <Call-ID ?sid>
c1 gets CDN <Call-ID @sid>
END
ok "two hundred calls asked for and cleared without waiting" talk <<END
$(ends)
$(connection c1 s1)
$(for i in $(seq 200); do
  printf 'c1 sends OCRQ <Call-ID %d>\ns1 gets OCRQ <Call-ID ?x>\ns1 sends OCRP <Call-ID %d> <Peer-Call-ID @x>\n' "$i" "$((i + 1000))"
  printf 'c1 gets OCRP <Call-ID ?y> <Peer-Call-ID %d>\nc1 sends CCRQ <Call-ID %d>\ns1 gets CCRQ <Call-ID @x>\ns1 sends CDN <Call-ID %d>\nc1 gets CDN <Call-ID @y>\n' "$i" "$i" "$((i + 1000))"
done)
END
alg_is "none is left" 0 gates 'length / 2'

# --- sequence ---------------------------------------------------------------------------------------------------------

before=$(violations)
ok "a call before the start is refused" talk <<END
$(ends)
c1 connects 192.0.2.1
s1 accepts L
c1 sends OCRQ <Call-ID 7>
s1 gets nothing
END
ok "a reply that nobody asked for is refused" talk <<END
$(ends)
$(connection c1 s1)
s1 sends OCRP <Call-ID 9> <Peer-Call-ID 7>
c1 gets nothing
END
ok "GRE with its ids does not pass" talk <<END
s1 gre 7 misses c1
c1 gre 9 misses s1
END
ok "a second call with the same id is refused, the first one lives" talk <<END
$(outgoing c1 7 s1 9)
c1 sends OCRQ <Call-ID 7>
s1 gets nothing
$(data c1 7 s1 9)
END
ok "GRE before the reply does not pass" talk <<END
c1 sends OCRQ <Call-ID 8>
s1 gets OCRQ <Call-ID ?x8>
s1 gre @x8 misses c1
s1 sends OCRP <Call-ID 10> <Peer-Call-ID @x8>
c1 gets OCRP <Peer-Call-ID 8> <Call-ID ?y8>
s1 gre @x8 reaches c1 as 8
END
run kill -STOP "$gateway_pid" # which makes the gates
ok "the reply waits for its gates" talk <<END
c1 sends OCRQ <Call-ID 18>
s1 gets OCRQ <Call-ID ?x18>
s1 sends OCRP <Call-ID 20> <Peer-Call-ID @x18>
c1 gets nothing
END
run kill -CONT "$gateway_pid"
ok "and comes when they are there" talk <<END
c1 gets OCRP <Peer-Call-ID 18> <Call-ID ?y18>
s1 gre @x18 reaches c1 as 18
c1 gre @y18 reaches s1 as 20
END
ok "a message about a call that is not there is refused" talk <<END
s1 sends WEN <Peer-Call-ID 4242>
c1 gets nothing
c1 sends CCRQ <Call-ID 4242>
s1 gets nothing
END
ok "a second Start is refused" talk <<END
c1 sends SCCRQ
s1 gets nothing
$(data c1 7 s1 9)
END
alg_is "all of them are counted" $((before + 6)) counters .violations

# --- other versions ------------------------------------------------------------------------------------------------------

ok "another version passes untouched" talk <<END
$(ends)
c1 connects 192.0.2.1
s1 accepts L
c1 sends SCCRQ <Version 0x0200>
s1 gets SCCRQ <Version 0x0200>
s1 sends hex 00010203040506070809
c1 gets hex 00010203040506070809
c1 sends hex ffeeddccbbaa99887766554433221100
s1 gets hex ffeeddccbbaa99887766554433221100
c1 closes
s1 gets end
END
alg_is "and is counted" 1 counters .untouched

# --- ports, fragments ---------------------------------------------------------------------------------------------------

ok "another port" talk <<END
$(ends)
P in $srv at 192.0.2.1
P listens 11723
c1 connects 192.0.2.1 11723
s1 accepts P
c1 sends SCCRQ
s1 gets SCCRQ
s1 sends SCCRP
c1 gets SCCRP
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
END
ok "a port that is none of ours is left alone" talk <<END
$(ends)
P in $srv at 192.0.2.1
P listens 2000
c1 connects 192.0.2.1 2000
s1 accepts P from 192.0.2.254
c1 sends hex 00
s1 gets hex 00
END
ok "fragmented GRE" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
c1 gre @s1_at_c1 size 4000 reaches s1 as 9 from 192.0.2.254
s1 gre @c1_at_s1 size 4000 reaches c1 as 7 from 192.0.2.1
c1 gre @s1_at_c1 size 1473 reaches s1 as 9
s1 gre @c1_at_s1 size 1473 reaches c1 as 7
END
ok "as a fragmented first packet, too" talk <<END
$(outgoing c1 8 s1 10)
s1 gre @c1_at_s1 size 8000 reaches c1 as 8
c1 gre @s1_at_c1 size 8000 reaches s1 as 10
END

# --- the box itself ---------------------------------------------------------------------------------------------------

ok "a server on the gateway is reached as if there were none" talk <<END
$(ends)
G in $gw at 10.1.0.1
G listens
g in $gw
c1 connects 10.1.0.1
g accepts G from 10.1.0.2
$(grep -v -e connects -e accepts <<<"$(connection c1 g)")
$(outgoing c1 7 g 9)
c1 gre 9 reaches g as 9 from 10.1.0.2
g gre 7 reaches c1 as 7 from 10.1.0.1
END
is "with its ids" "$(tell c1_at_g)" 7
alg_is "and without a flow" 0 counters .connections_now
ok "a client on the gateway" talk <<END
$(ends)
g in $gw
$(connection g s1)
$(outgoing g 7 s1 9)
$(data g 7 s1 9 192.0.2.254)
END
alg_is "which is a flow" 1 counters .connections_now
ok "and with IPv6" talk <<END
h in $gw
$(connection h s2 2001:db8:1::1 L6)
$(outgoing h 7 s2 9)
$(data h 7 s2 9 2001:db8:1::fe)
END
gateway_stop

# --- by choice ----------------------------------------------------------------------------------------------------------

gateway_start 'other-version = "refuse"' 'own-connections = false'
ok "another version is refused by choice" talk <<END
$(ends)
c1 connects 192.0.2.1
c1 sends SCCRQ <Version 0x0200>
c1 gets end
s1 accepts L
s1 gets end
END
alg_is "and counted" 1 counters .connections_refused_version
ok "ids stay as they are where nothing speaks against it" talk <<END
$(connection c2 s2)
$(outgoing c2 7 s2 9)
END
is "the client's" "$(tell c2_at_s2)" 7
ok "a client on the gateway is left alone by choice" talk <<END
$(ends)
g in $gw
$(connection g s1)
END
alg_is "it is no flow" 0 counters .connections_now
gateway_stop

gateway_start 'datapath = "user"' 'random-ids = true'
ok "in user space the ids of a client on the gateway stay as they are" talk <<END
$(ends)
g in $gw
h in $gw
$(connection g s1)
$(outgoing g 7 s1 9)
$(data g 7 s1 9 192.0.2.254)
END
is "the client's" "$(tell g_at_s1)" 7
ok "so that a call with an id that is taken is refused" talk <<END
$(connection h s2)
h sends OCRQ <Call-ID 7>
h gets OCRP <Peer-Call-ID 7> <Result !1>
s2 gets nothing
$(outgoing h 8 s2 10)
$(data h 8 s2 10 192.0.2.254)
$(data g 7 s1 9)
END
