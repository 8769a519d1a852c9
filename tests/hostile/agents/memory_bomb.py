# OOM-killed quickly; outcome 'out of memory', not 'crashed'
x=[]
while True: x.append(bytearray(16*1024*1024))
