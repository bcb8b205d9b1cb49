"""Thin out a mesh by half-edge collapses under the quadric error of Garland and Heckbert (1997).

Only vertices are removed, none is moved or made, so every basis row of a kept vertex stays exact.
"""

from __future__ import annotations

import heapq

import numpy as np


def decimate(vertices: np.ndarray, triangles: np.ndarray, target: int, locked: np.ndarray) -> np.ndarray:
    """Triangles over at most about `target` of the (V, 3) vertices; those in the (V,) bool mask `locked` all stay."""
    quadrics = _quadrics(vertices, triangles)
    around: list[set[int]] = [set() for _ in vertices]
    faces = {number: tuple(map(int, face)) for number, face in enumerate(triangles)}
    for number, face in faces.items():
        for vertex in face:
            around[vertex].add(number)
    alive = {vertex for face in faces.values() for vertex in face}
    edges = {(a, b) for face in faces.values() for a in face for b in face if a != b}
    queue = [(_cost(quadrics, vertices, a, b), a, b) for a, b in edges if not locked[a]]
    heapq.heapify(queue)
    while len(alive) > target and queue:
        cost, gone, kept = heapq.heappop(queue)
        if gone not in alive or kept not in alive or cost < _cost(quadrics, vertices, gone, kept) - 1e-12:
            continue
        if not _allowed(vertices, faces, around, gone, kept):
            continue
        for number in list(around[gone]):
            face = faces[number]
            for vertex in face:
                around[vertex].discard(number)
            moved = tuple(kept if vertex == gone else vertex for vertex in face)
            if len(set(moved)) < 3:
                del faces[number]
                continue
            faces[number] = moved
            for vertex in moved:
                around[vertex].add(number)
        alive.discard(gone)
        quadrics[kept] += quadrics[gone]
        for vertex in {v for number in around[kept] for v in faces[number]} - {kept}:
            for a, b in ((kept, vertex), (vertex, kept)):
                if not locked[a]:
                    heapq.heappush(queue, (_cost(quadrics, vertices, a, b), a, b))
    return np.array(list(faces.values()), np.int64)


def _quadrics(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    plane = np.concatenate([normal / (area + 1e-12), -(normal / (area + 1e-12) * a).sum(1, keepdims=True)], axis=1)
    quadric = plane[:, :, None] * plane[:, None, :] * area[:, :, None]
    total = np.zeros((len(vertices), 4, 4))
    for corner in range(3):
        np.add.at(total, triangles[:, corner], quadric)
    return total


def _cost(quadrics: np.ndarray, vertices: np.ndarray, gone: int, kept: int) -> float:
    point = np.append(vertices[kept], 1.0)
    length = float(((vertices[gone] - vertices[kept]) ** 2).sum())
    return float(point @ (quadrics[gone] + quadrics[kept]) @ point) + 1e-4 * length  # short edges first where flat


def _allowed(vertices, faces, around, gone: int, kept: int) -> bool:
    """Whether the collapse keeps the surface a surface and flips no triangle."""
    shared = around[gone] & around[kept]

    def ring(vertex: int) -> set[int]:
        return {v for number in around[vertex] for v in faces[number]}

    opposite = {v for number in shared for v in faces[number]} - {gone, kept}
    if not shared or (ring(gone) & ring(kept)) - {gone, kept} != opposite:
        return False
    border = {v for v in ring(gone) - {gone} if len(around[gone] & around[v]) == 1}
    if border and (kept not in border or len(shared) != 1):
        return False
    for number in around[gone] - shared:
        before = vertices[list(faces[number])]
        after = vertices[[kept if v == gone else v for v in faces[number]]]
        n0, n1 = (np.cross(p[1] - p[0], p[2] - p[0]) for p in (before, after))
        if n0 @ n1 <= 0.2 * np.linalg.norm(n0) * np.linalg.norm(n1):
            return False
    return True
