/** A headless Chromium, spoken to by its protocol over two pipes. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Readable, Writable } from "node:stream"
import { signalProcess } from "../../src/internal/run/processGroup.ts"

/** Where there is none, tests of pages are skipped. */
export const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  fs.existsSync(file)
)

interface Message {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly params?: any
  readonly result?: any
  readonly error?: { readonly message: string }
}

export interface Look {
  readonly width: number
  readonly height: number
  readonly dark?: boolean
}

export class Page {
  /** What went wrong in the page. */
  readonly errors: Array<string> = []
  /** The addresses that it has asked for. */
  readonly requested: Array<string> = []
  readonly send: (method: string, params?: object) => Promise<any>

  constructor(send: (method: string, params?: object) => Promise<any>) {
    this.send = send
  }

  took({ method, params }: Message): void {
    if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params))
    if (method === "Network.requestWillBeSent") this.requested.push(params.request.url)
  }

  async evaluate(expression: string): Promise<any> {
    const { result } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })
    return result.value
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" })
    fs.writeFileSync(file, Buffer.from(data, "base64"))
  }
}

export class Browser {
  private readonly child: childProcess.ChildProcess
  private readonly profile = fs.mkdtempSync(path.join(os.tmpdir(), "chromium-"))
  private readonly waiting = new Map<number, (message: Message) => void>()
  private readonly pages = new Map<string, Page>()
  private last = 0
  private received = ""

  constructor(program: string) {
    this.child = childProcess.spawn(program, [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--remote-debugging-pipe",
      `--user-data-dir=${this.profile}`
    ], { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] })
    const output = this.child.stdio[4] as Readable
    output.on("data", (chunk: Buffer) => {
      this.received += chunk.toString()
      for (let end = this.received.indexOf("\0"); end >= 0; end = this.received.indexOf("\0")) {
        const message = JSON.parse(this.received.slice(0, end)) as Message
        this.received = this.received.slice(end + 1)
        if (message.id !== undefined) this.waiting.get(message.id)?.(message)
        else if (message.sessionId !== undefined) this.pages.get(message.sessionId)?.took(message)
      }
    })
  }

  private send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.last
    return new Promise((resolve, reject) => {
      this.waiting.set(
        id,
        ({ error, result }) => error === undefined ? resolve(result) : reject(new Error(error.message))
      )
      const input = this.child.stdio[3] as Writable
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  async open(url: string, { dark = false, height, width }: Look): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" })
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true })
    const page = new Page((method, params) => this.send(method, params, sessionId))
    this.pages.set(sessionId, page)
    for (const domain of ["Page", "Runtime", "Network"]) await page.send(`${domain}.enable`)
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 })
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]
    await page.send("Emulation.setEmulatedMedia", { features })
    await page.send("Page.navigate", { url })
    return page
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve))
    // The others of its group write to the profile, too.
    signalProcess(-this.child.pid!, "SIGKILL")
    await ended
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 })
  }
}
