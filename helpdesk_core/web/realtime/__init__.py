"""What happens, told as it happens: the socket at `/ws/notifications/`.

* `endpoint`: the handshake, and what surrounds a connection;
* `admission`: who may connect, and whether they still may;
* `connection`: one client, its queue and what it may send;
* `hub`: all connections of this process, and what each of them is to hear;
* `follower`: follows the events of the database while anybody is connected;
* `wakers`: how it learns at once that there is something new.
"""
