// A server on gorilla/websocket in the design of its chat example: one goroutine for the hub, two for each client, channels of 256
// messages. A client whose channel is full is dropped. What differs from the example: every message is a frame of its own, where the
// example joins those that wait into one, and there is no page.
//
// Built without a network: GOPATH=/usr/share/gocode GO111MODULE=off go build gorilla_hub.go
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writeWait      = 10 * time.Second
	pongWait       = 60 * time.Second
	pingPeriod     = pongWait * 9 / 10
	maxMessageSize = 1 << 20
	slots          = 256
)

var upgrader = websocket.Upgrader{
	ReadBufferSize:  1024,
	WriteBufferSize: 1024,
	CheckOrigin:     func(*http.Request) bool { return true },
}

type hub struct {
	clients    map[*client]bool
	broadcast  chan []byte
	register   chan *client
	unregister chan *client
}

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = true
		case c := <-h.unregister:
			h.remove(c)
		case message := <-h.broadcast:
			for c := range h.clients {
				select {
				case c.send <- message:
				default:
					h.remove(c)
				}
			}
		}
	}
}

func (h *hub) remove(c *client) {
	if h.clients[c] {
		delete(h.clients, c)
		close(c.send)
	}
}

type client struct {
	hub        *hub
	connection *websocket.Conn
	send       chan []byte
}

func (c *client) read() {
	defer func() {
		c.hub.unregister <- c
		c.connection.Close()
	}()
	c.connection.SetReadLimit(maxMessageSize)
	c.connection.SetReadDeadline(time.Now().Add(pongWait))
	c.connection.SetPongHandler(func(string) error {
		return c.connection.SetReadDeadline(time.Now().Add(pongWait))
	})
	for {
		_, message, err := c.connection.ReadMessage()
		if err != nil {
			return
		}
		c.hub.broadcast <- message
	}
}

func (c *client) write() {
	ticker := time.NewTicker(pingPeriod)
	defer func() {
		ticker.Stop()
		c.connection.Close()
	}()
	for {
		kind, message := websocket.BinaryMessage, []byte(nil)
		select {
		case waiting, ok := <-c.send:
			message = waiting
			if !ok {
				kind = websocket.CloseMessage
			}
		case <-ticker.C:
			kind = websocket.PingMessage
		}
		c.connection.SetWriteDeadline(time.Now().Add(writeWait))
		if c.connection.WriteMessage(kind, message) != nil || kind == websocket.CloseMessage {
			return
		}
	}
}

func echo(connection *websocket.Conn) {
	defer connection.Close()
	for {
		kind, message, err := connection.ReadMessage()
		if err != nil || connection.WriteMessage(kind, message) != nil {
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
	h := &hub{clients: map[*client]bool{}, broadcast: make(chan []byte), register: make(chan *client), unregister: make(chan *client)}
	go h.run()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		connection, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		if *mode == "echo" {
			go echo(connection)
			return
		}
		c := &client{hub: h, connection: connection, send: make(chan []byte, slots)}
		h.register <- c
		go c.write()
		go c.read()
	})
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on port %d\n", listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
}
