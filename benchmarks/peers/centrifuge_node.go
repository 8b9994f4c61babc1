// A server on centrifuge (github.com/centrifugal/centrifuge), its node, memory broker, client queues and writers as they are. What is ours
// is the transport: its clients speak commands and replies of their own protocol inside of messages, which the load generator does not.
// So what comes in is published as it is, and of each reply that centrifuge has encoded for a client only the data goes out, as a message
// of its own; those that its writer joins leave with one write. That spares centrifuge the parsing of commands, and the bytes of its
// envelope; what it costs is a few steps over the fields of the envelope.
//
// Built without a network: GOPATH=/usr/share/gocode GO111MODULE=off go build centrifuge_node.go
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/centrifugal/centrifuge"
	"github.com/centrifugal/protocol"
	"github.com/gorilla/websocket"
)

const channel = "all"

var upgrader = websocket.Upgrader{
	ReadBufferSize:  1024,
	WriteBufferSize: 1024,
	CheckOrigin:     func(*http.Request) bool { return true },
}

// field returns what stands in a length-delimited field of an encoded protobuf message, and in the varint field `number`.
func field(message []byte, wanted, number uint64) (data []byte, value uint64) {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 {
			return
		}
		size, m := binary.Uvarint(message[n:])
		if m <= 0 {
			return
		}
		message = message[n+m:]
		if key&7 == 0 {
			if key>>3 == number {
				value = size
			}
			continue
		}
		if key&7 != 2 || size > uint64(len(message)) {
			return
		}
		if key>>3 == wanted {
			data = message[:size]
		}
		message = message[size:]
	}
	return
}

// payload is the data of a publication or message, or nil for the reply to a command.
func payload(reply []byte) []byte {
	push, id := field(reply, 3, 1)
	if id != 0 {
		return nil
	}
	inside, kind := field(push, 3, 1)
	data := uint64(4) // Publication.data
	if protocol.PushType(kind) == protocol.PushTypeMessage {
		data = 1
	}
	found, _ := field(inside, data, 0)
	return found
}

type transport struct {
	connection *websocket.Conn
	mutex      sync.Mutex
	buffer     []byte
}

func (t *transport) Name() string                     { return "websocket" }
func (t *transport) Protocol() centrifuge.ProtocolType { return centrifuge.ProtocolTypeProtobuf }
func (t *transport) Encoding() centrifuge.EncodingType { return centrifuge.EncodingTypeBinary }

func (t *transport) Write(replies []byte) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	out := t.buffer[:0]
	for len(replies) > 0 {
		size, n := binary.Uvarint(replies)
		if n <= 0 || size > uint64(len(replies)-n) {
			return fmt.Errorf("replies of an unknown form")
		}
		data := payload(replies[n : n+int(size)])
		replies = replies[n+int(size):]
		if data == nil {
			continue
		}
		switch {
		case len(data) < 126:
			out = append(out, 0x82, byte(len(data)))
		case len(data) < 65536:
			out = append(out, 0x82, 126, byte(len(data)>>8), byte(len(data)))
		default:
			out = append(out, 0x82, 127)
			out = append(out, make([]byte, 8)...)
			binary.BigEndian.PutUint64(out[len(out)-8:], uint64(len(data)))
		}
		out = append(out, data...)
	}
	t.buffer = out
	if len(out) == 0 {
		return nil
	}
	_, err := t.connection.UnderlyingConn().Write(out)
	return err
}

func (t *transport) Close(*centrifuge.Disconnect) error { return t.connection.Close() }

// connectCommand is what a client of centrifuge sends first.
func connectCommand() []byte {
	params, err := protocol.NewProtobufParamsEncoder().Encode(&protocol.ConnectRequest{})
	if err == nil {
		var command []byte
		command, err = protocol.NewProtobufCommandEncoder().Encode(&protocol.Command{ID: 1, Method: protocol.MethodTypeConnect, Params: params})
		if err == nil {
			return command
		}
	}
	panic(err)
}

func serve(node *centrifuge.Node, connection *websocket.Conn, echoes bool, connect []byte) {
	client, closeClient, err := centrifuge.NewClient(context.Background(), node, &transport{connection: connection})
	if err != nil {
		connection.Close()
		return
	}
	defer closeClient()
	if !client.Handle(connect) {
		return
	}
	for {
		_, message, err := connection.ReadMessage()
		if err != nil {
			return
		}
		if echoes {
			err = client.Send(message)
		} else {
			_, err = node.Publish(channel, message)
		}
		if err != nil {
			return
		}
	}
}

func main() {
	port := flag.Int("port", 0, "port to listen on")
	mode := flag.String("mode", "broadcast", "echo or broadcast")
	flag.Parse()
	if flag.NArg() != 0 || (*mode != "echo" && *mode != "broadcast") {
		flag.Usage()
		os.Exit(2)
	}
	node, err := centrifuge.New(centrifuge.DefaultConfig)
	if err == nil {
		node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
			reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: ""}}
			if *mode == "broadcast" {
				reply.Subscriptions = map[string]centrifuge.SubscribeOptions{channel: {}}
			}
			return reply, nil
		})
		err = node.Run()
	}
	var listener net.Listener
	if err == nil {
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	connect := connectCommand()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		connection, err := upgrader.Upgrade(w, r, nil)
		if err == nil {
			go serve(node, connection, *mode == "echo", connect)
		}
	})
	fmt.Printf("listening on port %d\n", listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
}
