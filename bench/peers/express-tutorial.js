/**
 * Express + jsonwebtoken + a Redis blacklist, as tutorials write it: the secret as a string, a lookup
 * of the whole token per request, the usual middleware, NODE_ENV not set.
 */
import cors from 'cors'
import express from 'express'
import helmet from 'helmet'
import jwt from 'jsonwebtoken'
import { createClient } from 'redis'
import { answer, ready, requestsWith, settings } from './peer.js'

const secret = 'a-secret-of-the-length-that-one-finds-in-env-files'
const redis = createClient({ url: settings.redisUrl })
await redis.connect()

async function authenticate(req, res, next) {
  const header = req.headers.authorization
  const token = header && header.split(' ')[1]
  if (!token) return res.status(401).json({ message: 'No token provided' })
  const isBlacklisted = await redis.get(`bl_${token}`)
  if (isBlacklisted) return res.status(401).json({ message: 'Token has been revoked' })
  jwt.verify(token, secret, (error, user) => {
    if (error) return res.status(401).json({ message: 'Invalid token' })
    req.user = user
    next()
  })
}

const app = express()
app.use(helmet())
app.use(cors())
app.use(express.json())
app.use(express.urlencoded({ extended: true }))
app.get('/protected', authenticate, (req, res) => {
  res.json(answer)
})

const server = app.listen(settings.port, '127.0.0.1', () => {
  ready(
    server,
    requestsWith(() =>
      jwt.sign({ id: settings.newId(), role: 'user' }, secret, { expiresIn: '1h' })
    )
  )
})
