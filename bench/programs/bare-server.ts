/** The limit of everything that is posted: a bare Bun.serve that parses the same body and answers; it keeps nothing. */
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    await request.json()
    return Response.json({ success: true })
  },
})
console.log(`http://127.0.0.1:${server.port}`)
