% Write fspecial.csv beside this file. Usage, in this folder: octave --no-gui make_fspecial.m   (needs the package image)
%
% Each line: name, two parameters, rows, columns, values row by row.
%   motion  MATLAB's rule, pixel by pixel (length, angle): Octave's own fspecial does not follow it
%   disk    area shared by pixel and circle, by adaptive quadrature (radius, 0)
%   octave_motion, octave_disk  what Octave's fspecial gives where its arguments are allowed
1;

function h = matlab_motion (len, theta)
  half = (max (1, len) - 1) / 2;
  tip = half * [cosd(theta), sind(theta)];
  reach_x = ceil (abs (tip(1)) - 1e-9);
  reach_y = ceil (abs (tip(2)) - 1e-9);
  h = zeros (2 * reach_y + 1, 2 * reach_x + 1);
  for y = -reach_y:reach_y
    for x = -reach_x:reach_x
      p = [x, y];
      if (norm (p) >= half)
        d = min (norm (p - tip), norm (p + tip));
      else
        d = abs (x * sind (theta) - y * cosd (theta));
      end
      h(reach_y + 1 - y, reach_x + 1 + x) = max (1 - d, 0);
    end
  end
  h /= sum (h(:));
end

function h = disk_by_quadrature (r)
  reach = ceil (r - 0.5);
  h = zeros (2 * reach + 1);
  for y = 0:reach
    for x = 0:reach
      chord = @(u) max (min (sqrt (max (r^2 - u.^2, 0)), y + 0.5) - max (-sqrt (max (r^2 - u.^2, 0)), y - 0.5), 0);
      breaks = sqrt (max (r^2 - (y + [-0.5, 0.5]).^2, 0));
      breaks = sort ([x - 0.5, x + 0.5, breaks, -breaks, r]);
      breaks = unique (breaks(breaks >= x - 0.5 & breaks <= x + 0.5));
      area = 0;
      for k = 2:numel (breaks)
        area += quadgk (chord, breaks(k - 1), breaks(k), "AbsTol", 1e-13, "RelTol", 1e-12);
      end
      h(reach + 1 + [-y, y], reach + 1 + [-x, x]) = area;
    end
  end
  h /= pi * r^2;
end

function put (file, name, a, b, h)
  fprintf (file, "%s,%.10g,%.10g,%d,%d", name, a, b, rows (h), columns (h));
  fprintf (file, ",%.11g", h.');
  fprintf (file, "\n");
end

pkg load image
file = fopen ("fspecial.csv", "w");
for len = [4, 7, 9.5]
  for theta = [0, 30, 45, 90, 135]
    put (file, "motion", len, theta, matlab_motion (len, theta));
  end
end
for r = [0.5, 0.6, 1, 2.5, 5, 7.3]
  put (file, "disk", r, 0, disk_by_quadrature (r));
end
for len = [3, 7, 9]
  put (file, "octave_motion", len, 0, fspecial ("motion", len, 0));
  put (file, "octave_motion", len, 90, fspecial ("motion", len, 90));
end
for len = [4, 6, 10]
  put (file, "octave_motion", len, 0, fspecial ("motion", len, 0));
end
for r = [1, 3, 5]
  put (file, "octave_disk", r, 0, fspecial ("disk", r));
end
fclose (file);
