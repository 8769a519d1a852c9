# timeout, reason names the phase 'agent call'
import asyncio
async def agent(): await asyncio.Event().wait()
asyncio.run(agent())
