// The connections of LeaderProbe, in a thread of their own: bare sockets, which ask for /leader one request after another. Only for tests.
import { connect } from "node:net"
import { parentPort, workerData } from "node:worker_threads"

const { perSecond, ports } = workerData
/** The most requests that wait for one server: a frozen one answers none of them. */
const connections = 32
/** After a second of which nothing could be sent, it is not made up for. */
const mostOwed = perSecond / ports.length

const request = Buffer.from("GET /leader HTTP/1.1\r\nhost: probe\r\n\r\n")
const now = () => Number(process.hrtime.bigint()) / 1e6

const begun = now()
let sent = 0
let answers = []
let led = []

class Server {
  owed = 0
  free = []

  constructor(index) {
    this.index = index
    for (let i = 0; i < connections; i++) this.open()
  }

  open() {
    const socket = connect({ host: "127.0.0.1", port: ports[this.index], noDelay: true })
    let since
    let answer = ""
    const ask = () => {
      sent++
      this.owed--
      // Before the request is sent, and so before it is answered.
      since = now()
      socket.write(request)
    }
    const next = () => {
      if (this.owed >= 1) ask()
      else this.free.push(ask)
    }
    socket.setEncoding("latin1")
    socket.on("connect", next)
    socket.on("data", (chunk) => {
      // After the answer has come.
      const received = now()
      answer += chunk
      const head = answer.indexOf("\r\n\r\n")
      if (head < 0 || answer.length < head + 4 + Number(/content-length: (\d+)/i.exec(answer)[1])) return
      answers.push(received)
      if (answer.startsWith("HTTP/1.1 200 ")) {
        const term = /^fencing-token: (\d+)/im.exec(answer)[1]
        led.push({ server: this.index, term, sent: since, received })
      }
      answer = ""
      next()
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      const at = this.free.indexOf(ask)
      if (at >= 0) this.free.splice(at, 1)
      setTimeout(() => this.open(), 20)
    })
  }

  owe(count) {
    this.owed = Math.min(this.owed + count, mostOwed)
    while (this.owed >= 1 && this.free.length > 0) this.free.shift()()
  }
}

const servers = ports.map((_, index) => new Server(index))
let until = begun
setInterval(() => {
  const elapsed = now() - until
  until += elapsed
  for (const server of servers) server.owe(elapsed / 1000 * perSecond / ports.length)
}, 1)
setInterval(() => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is no window
  parentPort.postMessage({ answers, led, sent })
  answers = []
  led = []
}, 20)
